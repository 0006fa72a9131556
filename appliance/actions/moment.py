"""In: slots that speak of a time, and the present moment. Out: the moment that is meant, a repetition, or a length of time.

A clock time without a half of the day is the next one that comes; with a day but no half, five to eleven are in the
morning and the rest in the afternoon. The reply always names what was taken, so that a wrong guess is heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from appliance.intents.interpretation import Slot

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_REPEATED = {"daily": tuple(range(7)), "weekdays": tuple(range(5)), "weekends": (5, 6)} | {
    f"{name}s": (number,) for number, name in enumerate(WEEKDAYS)
}
_UNITS_S = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "days_ahead": 86400.0}
MORNING_FROM, NOON = 5, 12
"""Hours between which "tomorrow at seven" is taken for the morning."""


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day, with the day or the days that were said."""

    at: time
    on: date | None = None
    days: tuple[int, ...] = ()
    """Weekdays of a repetition, 0 is Monday."""

    def next_after(self, now: datetime) -> datetime:
        """The first such moment after local `now`, without a zone; the day that was said, though it may be over."""
        if self.on is not None:
            return datetime.combine(self.on, self.at)
        days = self.days or tuple(range(7))
        for ahead in range(8):
            moment = datetime.combine(now.date() + timedelta(days=ahead), self.at)
            if moment.weekday() in days and moment > now:
                return moment
        raise AssertionError("every weekday comes within eight days")


def length_s(slots: Mapping[str, Slot]) -> float | None:
    """A length of time, seconds: "in ten minutes"; None where none was said."""
    said = [float(slots[unit]) * factor for unit, factor in _UNITS_S.items() if unit in slots]
    return sum(said) if said else None


def clock_time(slots: Mapping[str, Slot], now: datetime) -> ClockTime | None:
    """The time of day of `slots`; None where none was said. `now` is local, without a zone."""
    clock = _clock(slots)
    if clock is None:
        return None
    hour, minute, free = clock
    day, _, part = str(slots.get("day", "")).partition(" ") if not _counted(slots) else (str(slots["day"]), "", "")
    days, _, again_part = str(slots.get("days", "")).partition(" ")
    half = str(slots.get("half") or part or again_part)
    if half and free:
        hour, free = _in_half(hour, half), False
    repeated = _REPEATED.get(days, ())
    on = _day(day, now.date()) if day else None
    if free and (repeated or (on is not None and on != now.date())):
        hour = hour % 12 if MORNING_FROM <= hour < NOON else hour % 12 + 12
    elif free:
        hour = _next_hour(hour, minute, now)
    return ClockTime(time(hour % 24, minute), on, repeated)


def said_day(slots: Mapping[str, Slot], today: date) -> date | None:
    """The day that was said without a time: "tomorrow"."""
    return _day(str(slots["day"]), today) if "day" in slots else None


def _counted(slots: Mapping[str, Slot]) -> bool:
    return str(slots.get("day", "")).startswith("in ")


def _clock(slots: Mapping[str, Slot]) -> tuple[int, int, bool] | None:
    """(hour, minute, whether the half of the day is open)."""
    if "clock" in slots:
        said_hour, _, said_minute = str(slots["clock"]).partition(":")
        return int(said_hour), int(said_minute), False
    if "hour" not in slots:
        return None
    hour, minute = int(slots["hour"]), int(slots.get("minute", 0))
    if "past" in slots:
        minute = int(slots["past"])
    if "to" in slots:
        hour, minute = (hour - 2) % 12 + 1, 60 - int(slots["to"])
    return hour, minute, 1 <= hour <= 12


def _in_half(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "pm" else 0)


def _next_hour(hour: int, minute: int, now: datetime) -> int:
    """Of the two times of day that `hour` may be, the one that comes first."""
    early, late = hour % 12, hour % 12 + 12
    passed = (now.hour, now.minute)
    return early if passed < (early, minute) or passed >= (late, minute) else late


def _day(said: str, today: date) -> date | None:
    """The day that "today", "tomorrow", "in 2 days" or "friday" names; a weekday is the next one, never today."""
    word = said.split()[0] if said else ""
    if word == "today":
        return today
    if word == "tomorrow":
        return today + timedelta(days=1)
    if word == "in":
        return today + timedelta(days=int(said.split()[1]))
    if word in WEEKDAYS:
        return today + timedelta(days=(WEEKDAYS.index(word) - today.weekday() - 1) % 7 + 1)
    return None
