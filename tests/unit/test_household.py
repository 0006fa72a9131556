"""In: the clock, and turns of a day. Out: phrases worth keeping warm, and what a household's caches were worth."""

from __future__ import annotations

from datetime import datetime

from appliance.bench.day import DAY
from appliance.bench.household import Asked, Counts, judged
from appliance.conversation.phrases import phrases
from appliance.events import Outcome, TurnRecord
from appliance.intents.replies import MARK, Replies, strip_marks


def test_the_next_minutes_today_and_usual_lengths_are_warm() -> None:
    said = [strip_marks(text) for text in phrases(Replies("en"), datetime(2026, 11, 21, 23, 50))]
    assert len(said) == len(set(said))
    for text in (
        "It's 11:50 PM.",
        "It's 12:05 AM.",
        "Today is Saturday, November 21st.",
        "Today is Sunday, November 22nd.",
    ):
        assert text in said, text
    for text in (
        "Timer set for 5 minutes.",
        "Timer set for 1 hour.",
        "Volume 40 percent.",
        "Okay.",
        "I can't do that.",
    ):
        assert text in said, text
    assert "It's 10:50 AM." not in said


def test_phrases_are_marked_as_replies_are_so_that_their_pieces_are_found_again() -> None:
    replies = Replies("de")
    now = datetime(2026, 11, 21, 8, 5)
    assert replies.say("time", time=replies.time(now)) in phrases(replies, now)
    assert any(MARK in text for text in phrases(replies, now))


def test_the_script_is_in_order_of_the_day() -> None:
    times = [at for at, _, _ in DAY]
    assert times == sorted(times)


def asked(intent: str | None, prepared: str | None, wasted: int, cached: bool) -> Asked:
    record = TurnRecord(
        turn="t", outcome=Outcome.ANSWERED, cause="button", intent=intent, reply="x", prepared=prepared, wasted=wasted,
        cached=cached,
    )  # fmt: skip
    return Asked("07:00", "what time is it", "HassGetCurrentTime", record)


def test_rates() -> None:
    day = [
        asked("HassGetCurrentTime", "hit", 1, True),
        asked("HassTurnOn", "waste", 1, False),
        asked(None, None, 0, True),
    ]
    measures = judged(day, Counts(phrase_hits=9, phrase_misses=1, meaning_hits=3, meanings=4)).measures
    assert measures["household.tts_cache_hit_rate"] == 0.9
    assert measures["household.intent_cache_hit_rate"] == 0.75
    assert measures["household.prepared_hit_rate"] == 0.5
    assert measures["household.prepared_waste_rate"] == round(2 / 3, 4)
    assert measures["household.first_cached_rate"] == round(2 / 3, 4)
    assert measures["household.right_rate"] == round(1 / 3, 4)
    assert judged([], Counts(0, 0, 0, 0)).measures["household.right_rate"] is None
