"""In: a question about days of the calendar. Out: which day that is, or how far away it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from appliance.actions.device import SkillContext
from appliance.actions.moment import WEEKDAYS
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation, Slot

_THURSDAY, _SUNDAY = 3, 6


def tell(meaning: Interpretation, context: SkillContext) -> Plan:
    """'Tomorrow is Sunday, November 22nd.'"""
    today, replies = context.device.now().date(), context.replies
    ask = meaning.slots.get("ask")
    if ask == "year":
        return Plan(replies.say("date_is", date=str(today.year)))
    if ask == "week":
        return Plan(replies.say("week_is", number=today.isocalendar().week))
    if ask == "month":
        return Plan(replies.say("date_is", date=replies.month(today)))
    day = named(meaning.slots, today)
    if day is None:
        return Plan(replies.say("date_unknown"))
    key = "date_was" if day < today else "date_is_today" if day == today else "date_will_be"
    return Plan(replies.say(key, date=replies.date(day, with_year=day.year != today.year)))


def until(meaning: Interpretation, context: SkillContext) -> Plan:
    """'34 days.'"""
    today, replies = context.device.now().date(), context.replies
    day = named(meaning.slots, today)
    if day is None:
        return Plan(replies.say("date_unknown"))
    days = (day - today).days
    if days == 0:
        return Plan(replies.say("until_today"))
    said = replies.count("day", abs(days))
    if meaning.slots.get("unit") == "weeks" and abs(days) >= 7:
        weeks, rest = divmod(abs(days), 7)
        parts = [replies.count("week", weeks), *([replies.count("day", rest)] if rest else [])]
        said = replies.join(parts)
    return Plan(replies.say("until_is", length=said, date=replies.date(day, with_year=False)))


def named(slots: dict[str, Slot], today: date) -> date | None:
    """The day that is meant, the next one of its kind; None for a day that no calendar has ("the 30th of February")."""
    if "days_ahead" in slots:
        return today + timedelta(days=int(slots["days_ahead"]))
    if "day" in slots:
        return _near(str(slots["day"]), today)
    if "holiday" in slots:
        return _next(lambda year: _holiday(str(slots["holiday"]), year), today)
    if "month" in slots:
        return _next(lambda year: _exists(year, int(slots["month"]), int(slots["date"])), today)
    if "date" in slots:
        month = today.year * 12 + today.month - 1
        candidates = (_exists((month + n) // 12, (month + n) % 12 + 1, int(slots["date"])) for n in range(12))
        return next((day for day in candidates if day is not None and day >= today), None)
    return today


def _next(of_year: Callable[[int], date | None], today: date) -> date | None:
    """The first of the yearly days that is not over; leap days within eight years."""
    days = (of_year(today.year + ahead) for ahead in range(9))
    return next((day for day in days if day is not None and day >= today), None)


def _near(said: str, today: date) -> date | None:
    words = said.split()
    if words[0] == "in":
        return today + timedelta(days=int(words[1]))
    near = {"today": 0, "tomorrow": 1, "yesterday": -1}
    if words[0] in near:
        return today + timedelta(days=near[words[0]])
    ahead = (WEEKDAYS.index(words[-1]) - today.weekday()) % 7
    if words[0] == "last":
        return today - timedelta(days=7 - ahead if ahead else 7)
    return today + timedelta(days=ahead or 7)


def _holiday(name: str, year: int) -> date | None:
    if name.startswith("easter"):
        return easter(year) + timedelta(days=int(name[6:] or 0))
    if name == "thanksgiving":
        return _nth(year, 11, _THURSDAY, 4)
    if name == "mothers":
        return _nth(year, 5, _SUNDAY, 2)
    if name == "fathers":
        return _nth(year, 6, _SUNDAY, 3)
    month, _, day = name.partition("-")
    return _exists(year, int(month), int(day))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of Nature, 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _exists(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
