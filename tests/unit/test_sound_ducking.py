"""In: probabilities of wake words in strides of 30 ms. Out: when the device's voice is held, and for how long."""

from __future__ import annotations

import pytest

from appliance.engines.sound.echo.ducking import WakeDucking
from appliance.engines.sound.pcm import RATE_HZ
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.vad import EnergyVad
from appliance.engines.sound.wake import open_engine
from appliance.settings.sound import SoundSettings, WakeSettings
from appliance.wire.message import Message
from appliance.wire.sound import Detection
from tests.shared import AUDIO, needs_shared

STRIDE = 480


def held(
    probabilities: list[float],
    word: str = "alexa",
    speaking: bool = True,
    confirmed: int | None = None,
    ducking: WakeDucking | None = None,
) -> list[int]:
    """The strides after which the voice is held; at stride `confirmed` the word is detected."""
    judge = ducking or WakeDucking([word])
    found = []
    for number, probability in enumerate(probabilities):
        if judge.take(number * STRIDE, (probability,), speaking):
            found.append(number)
        if number == confirmed:
            judge.confirm(number * STRIDE)
    return found


@pytest.mark.parametrize(
    ("probabilities", "word", "speaking", "strides"),
    [
        ([0.0, 0.45, 0.5, 0.2, 0.0], "alexa", True, []),
        ([0.0, 0.55] + [0.0] * 9, "alexa", True, [1, 2, 3, 4]),
        ([0.0, 0.55] + [0.0] * 9, "stop", True, []),
        ([0.0, 0.65] + [0.0] * 9, "stop", True, [1, 2, 3, 4]),
        ([0.0, 0.99] + [0.0] * 9, "alexa", False, []),
        ([0.6, 0.1, 0.1, 0.6, 0.1] + [0.0] * 9, "alexa", True, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_single_high_probability_holds_the_voice_while_it_counts(
    probabilities: list[float], word: str, speaking: bool, strides: list[int]
) -> None:
    assert held(probabilities, word, speaking) == strides


def test_a_sound_that_stays_holds_once_and_not_for_long() -> None:
    ducking = WakeDucking(["alexa"])
    strides = held([0.9] * 70, ducking=ducking)
    assert strides == list(range(17)), "0.5 s at the most"
    assert (ducking.begun, ducking.unconfirmed) == (1, 1)


def test_what_sounds_like_the_word_again_and_again_holds_rarely_but_a_confirmed_word_may_come_again() -> None:
    again_and_again = [0.9, 0.0, 0.0, 0.0, 0.0, 0.0] * 25
    assert held(again_and_again) == [*range(4), *range(72, 76), *range(144, 148)], "2 s between"
    assert held(again_and_again[:24], confirmed=0) == [*range(10), *range(12, 16)]


def test_a_confirmed_word_keeps_the_silence_until_the_voice_is_cut() -> None:
    ducking = WakeDucking(["alexa"])
    strides = held([0.9] * 5 + [0.0] * 30, confirmed=4, ducking=ducking)
    assert strides == list(range(14)), "0.3 s more than the detection"
    assert (ducking.begun, ducking.unconfirmed) == (1, 0)


def test_a_voice_that_was_cut_and_an_interrupted_stream_end_it() -> None:
    ducking = WakeDucking(["alexa", "stop"])
    assert ducking.take(0, (0.9, 0.0), True)
    assert not ducking.take(STRIDE, (0.9, 0.0), False)
    ducking = WakeDucking(["alexa", "stop"])
    assert ducking.take(0, (0.0, 0.9), True)
    ducking.forget(STRIDE)
    assert not ducking.take(2 * STRIDE, (0.0, 0.0), True)
    assert ducking.unconfirmed == 1


@needs_shared
def test_the_ear_suspects_a_word_before_it_is_sure_and_only_while_the_device_speaks() -> None:
    from appliance.engines.recordings import load

    wake = WakeSettings(stop_word=False)
    told: list[tuple[int, object]] = []
    happened: list[Message] = []
    ear = SoundPipeline(SoundSettings(source="feed"), wake, open_engine(wake, ()), EnergyVad(), happened.append)
    ear.on_suspicion = lambda suspected: told.append((ear.position, suspected))
    word = load(AUDIO / "wake/alexa/1.flac")
    for speaking in (False, True):
        ear.speaking = speaking
        detected = None
        for at in range(0, len(word) // STRIDE * STRIDE, STRIDE):
            ear.take(word[at : at + STRIDE], 0)
            if detected is None and any(isinstance(message, Detection) for message in happened):
                detected = ear.position
        happened.clear()
        assert detected is not None
        if not speaking:
            assert not told
    assert detected is not None
    (began, first), (ended, last) = told
    assert first and not last
    assert 0 < (detected - began) / RATE_HZ <= 0.3
    assert (ended - detected) / RATE_HZ == pytest.approx(0.3, abs=0.03)
    assert ear.ducking.unconfirmed == 0
