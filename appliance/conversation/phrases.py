"""In: the replies of a language and the time. Out: what the device will likely say next, for the phrase cache."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from appliance.intents.replies import Replies

AGAIN_S = 600.0
"""How often the phrases are made anew: the time of day goes on."""
MINUTES_AHEAD = 20
"""Times of day made ahead: twice what passes until the next round."""
DURATIONS_S = (
    *(60 * minutes for minutes in (5, 10, 1, 2, 3, 15, 20, 30, 4, 6, 7, 8, 9, 12, 25, 40, 45, 50)),
    *(30, 10, 20, 45, 90),
    *(3600 * hours for hours in (1, 2, 3)),
)
"""Lengths that people give timers, the most usual first."""
VOLUME_STEP = 10


def phrases(replies: Replies, now: datetime) -> tuple[str, ...]:
    """Replies with their marks, the likeliest first, each once."""
    return tuple(dict.fromkeys((*replies.constants(), *_times(replies, now), *_amounts(replies))))


def _times(replies: Replies, now: datetime) -> Iterator[str]:
    for minutes in range(MINUTES_AHEAD + 1):
        yield replies.say("time", time=replies.time(now + timedelta(minutes=minutes)))
    for days in range(2):
        yield replies.say("date", date=replies.date(now + timedelta(days=days)))


def _amounts(replies: Replies) -> Iterator[str]:
    for seconds in DURATIONS_S:
        yield replies.say("timer_started", duration=replies.duration(seconds))
    for percent in range(VOLUME_STEP, 100, VOLUME_STEP):
        yield replies.say("volume", percent=percent)
