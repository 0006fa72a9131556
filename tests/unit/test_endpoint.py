"""In: voice activity and readings as tables. Out: when the policy decides that the person has finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.conversation.endpoint import EndOfSpeechDecision, EndpointPolicy, PartialReading
from appliance.settings.conversation import ConversationSettings

BLOCK_MS = 32
SETTINGS = ConversationSettings()


def play(
    spans: list[tuple[int, float]],
    readings: dict[int, PartialReading] | None = None,
    wake_level_dbfs: float | None = None,
    level_dbfs: float = -30.0,
) -> EndOfSpeechDecision | None:
    """Plays (milliseconds, speech probability) spans; a reading arrives at the time that is its key."""
    policy = EndpointPolicy(SETTINGS, 0.5, wake_level_dbfs)
    now_ms = 0
    for length_ms, speech in spans:
        for _ in range(length_ms // BLOCK_MS):
            policy.heard(now_ms, BLOCK_MS, speech, level_dbfs)
            now_ms += BLOCK_MS
            for at_ms, reading in (readings or {}).items():
                if now_ms - BLOCK_MS < at_ms <= now_ms:
                    policy.read(reading)
            if decision := policy.decide():
                return decision
    return None


SPEECH = [(320, 0.0), (1024, 0.9), (4000, 0.0)]
END_MS = 320 + 1024
"""End of the speech in SPEECH."""


@pytest.mark.parametrize(
    ("complete", "slots_ahead", "confidence", "wait_ms", "reason"),
    [
        (True, 0, 0.9, SETTINGS.complete_wait_ms, "complete"),
        (True, 1, 0.9, SETTINGS.detail_wait_ms, "complete"),
        (True, 2, 0.9, SETTINGS.extendable_wait_ms, "complete"),
        (False, 2, 0.9, SETTINGS.incomplete_wait_ms, "incomplete"),
        (True, 0, 0.2, SETTINGS.incomplete_wait_ms, "complete"),
    ],
)
def test_the_wait_depends_on_the_words(
    complete: bool, slots_ahead: int, confidence: float, wait_ms: int, reason: str
) -> None:
    reading = PartialReading("what time is it", END_MS, complete, slots_ahead > 0, slots_ahead, confidence)
    decision = play(SPEECH, {END_MS + 64: reading})
    assert decision is not None
    assert decision.speech_end_ms == END_MS
    assert decision.reason == reason
    assert wait_ms <= decision.at_ms - END_MS < wait_ms + BLOCK_MS


def test_who_is_expected_to_say_more_is_waited_for() -> None:
    """Where the last word of the reading was made up; of brief commands less is expected."""
    for brief, wait_ms in ((False, SETTINGS.incomplete_wait_ms), (True, SETTINGS.extendable_wait_ms)):
        reading = PartialReading("what time is it", END_MS, True, True, 0, 0.9, more_expected=True, brief=brief)
        decision = play(SPEECH, {END_MS + 64: reading})
        assert decision is not None
        assert 0 <= decision.at_ms - END_MS - wait_ms < BLOCK_MS


def test_a_reading_that_lacks_the_last_words_shortens_nothing() -> None:
    old = PartialReading(
        "what time is it", END_MS - 320, complete=True, extendable=False, slots_ahead=0, confidence=0.99
    )
    decision = play(SPEECH, {END_MS - 200: old})
    assert decision is not None
    assert decision.at_ms - END_MS >= SETTINGS.incomplete_wait_ms


def test_a_pause_in_an_unfinished_command_is_waited_for() -> None:
    unfinished = PartialReading("set a timer for", 1344, complete=False, extendable=True, slots_ahead=2, confidence=0.9)
    spans = [(320, 0.0), (1024, 0.9), (608, 0.0), (640, 0.9), (3000, 0.0)]
    decision = play(spans, {1400: unfinished})
    assert decision is not None
    assert decision.speech_end_ms == 320 + 1024 + 608 + 640


def test_who_pauses_long_is_given_time() -> None:
    spans = [(1024, 0.9), (320, 0.0), (512, 0.9), (3000, 0.0)]
    end_ms = 1024 + 320 + 512
    reading = PartialReading(
        "turn on the lights", end_ms, complete=True, extendable=True, slots_ahead=1, confidence=0.95
    )
    decision = play(spans, {end_ms + 32: reading})
    assert decision is not None
    assert decision.at_ms - end_ms >= 1.1 * 320
    whole = replace(reading, extendable=False, slots_ahead=0)
    decision = play(spans, {end_ms + 32: whole})
    assert decision is not None
    assert decision.at_ms - end_ms < 320, "nothing can follow"


def test_nobody_speaks() -> None:
    decision = play([(12000, 0.01)])
    assert decision is not None
    assert (decision.reason, decision.speech_end_ms) == ("no_speech", None)


def test_sixty_seconds_of_noise_end() -> None:
    decision = play([(60000, 0.9)])
    assert decision is not None
    assert decision.reason == "too_long"
    assert decision.at_ms <= SETTINGS.utterance_limit_s * 1000 + BLOCK_MS


def test_a_finished_command_ends_although_the_television_talks_on() -> None:
    reading = PartialReading("what time is it", 1500, complete=True, extendable=False, slots_ahead=0, confidence=0.9)
    decision = play([(20000, 0.9)], {1500: reading})
    assert decision is not None
    assert decision.reason == "steady"
    assert decision.at_ms < 4000


def test_far_voices_are_nobody() -> None:
    decision = play([(12000, 0.9)], wake_level_dbfs=-20.0, level_dbfs=-48.0)
    assert decision is not None
    assert decision.reason == "no_speech"


def test_a_cough_is_nobody() -> None:
    cough = PartialReading("yes", 320, complete=True, extendable=True, slots_ahead=2, confidence=0.02, flushed=True)
    real = PartialReading("what time is it", 3200, complete=True, extendable=False, slots_ahead=0, confidence=0.95)
    spans = [(160, 0.0), (160, 0.9), (1920, 0.0), (960, 0.9), (3000, 0.0)]
    decision = play(spans, {448: cough, 3264: real})
    assert decision is not None
    assert decision.speech_end_ms == 3200


def test_a_short_word_that_was_understood_counts() -> None:
    word = PartialReading("stop", 320, complete=True, extendable=True, slots_ahead=2, confidence=0.9)
    decision = play([(160, 0.0), (160, 0.9), (4000, 0.0)], {448: word})
    assert decision is not None
    assert decision.speech_end_ms == 320


@pytest.mark.parametrize(
    ("confidence", "wait_ms"), [(0.9, SETTINGS.single_word_wait_ms), (0.6, SETTINGS.incomplete_wait_ms)]
)
def test_one_short_word_waits_longer_where_it_was_not_clear(confidence: float, wait_ms: int) -> None:
    word = PartialReading("quiet", 512, complete=True, extendable=True, slots_ahead=2, confidence=confidence)
    decision = play([(160, 0.0), (352, 0.9), (4000, 0.0)], {560: word})
    assert decision is not None
    assert wait_ms <= decision.at_ms - 512 < wait_ms + BLOCK_MS


def test_the_end_of_the_wake_word_is_no_command() -> None:
    tail = PartialReading("hi", 160, complete=True, extendable=True, slots_ahead=2, confidence=0.6, flushed=True)
    decision = play([(160, 0.9), (12000, 0.0)], {256: tail}, wake_level_dbfs=-30.0)
    assert decision is not None
    assert decision.reason == "no_speech"


def test_the_recogniser_begins_again_once_for_a_cough() -> None:
    policy = EndpointPolicy(SETTINGS, 0.5)
    policy.heard(0, BLOCK_MS, 0.9, -30.0)
    policy.heard(BLOCK_MS, BLOCK_MS, 0.0, -60.0)
    assert not policy.took_back()
    policy.read(PartialReading("", 64, complete=False, extendable=True, slots_ahead=2, flushed=True))
    assert policy.took_back()
    assert not policy.took_back()


def test_noise_read_as_one_word_does_not_cut_off_who_speaks_behind_it() -> None:
    word = PartialReading("enough", 1100, complete=True, extendable=False, slots_ahead=0, confidence=0.93)
    order = PartialReading("get me a mocha", 3300, complete=False, extendable=True, slots_ahead=2)
    decision = play([(6000, 0.9), (6000, 0.01)], {1100: word, 3300: order})
    assert decision is not None
    assert decision.at_ms > 6000, "the order is heard to its end"
    alone = play([(20000, 0.9)], {1100: word})
    assert alone is not None
    assert alone.reason == "steady" and alone.at_ms < 6000, "a stop beside a television still ends"
