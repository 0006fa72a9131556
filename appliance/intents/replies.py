"""In: the key of a reply and its values. Out: the sentence in the device's language, marked where it may be divided.

Templates are plain `str.format` texts in `data/replies_LANGUAGE.yaml`; a bar there becomes MARK: what stands before it
is the same every time, so that it can be spoken from the cache while the rest is being made.
"""

from __future__ import annotations

import logging
from datetime import date as calendar_date
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

log = logging.getLogger(__name__)

MARK = "\x1f"
"""U+001F, unit separator: neither spoken nor shown."""
FALLBACK = "en"


def strip_marks(text: str) -> str:
    """The text as it is shown."""
    return text.replace(MARK, "")


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


class Replies:
    """Sentences of one language."""

    def __init__(self, language: str) -> None:
        """Reads the language's templates; without any, English is used and that is logged."""
        self.language = language.split("-")[0]
        if not (resources.files("appliance.intents") / "data" / f"replies_{self.language}.yaml").is_file():
            log.warning("No replies in the language '%s': they are spoken in English.", language)
            self.language = FALLBACK
        self._data = _templates(self.language)

    def say(self, key: str, **values: object) -> str:
        """The sentence `key` with `values` put in."""
        template: str = self._data["sentences"][key]
        return template.replace("|", MARK).format(**values)

    def constants(self) -> tuple[str, ...]:
        """Every text that is the same each time: whole sentences and beginnings up to a mark, to warm the cache with."""
        sentences = (str(template) for template in self._data["sentences"].values())
        heads = (text.split("|")[0].strip() for text in sentences)
        return tuple(dict.fromkeys(head for head in heads if head and "{" not in head))

    def time(self, moment: datetime) -> str:
        """A time of day: '3:20 PM', '15 Uhr 20'."""
        forms = self._data["time"]
        form = forms["full_hour"] if moment.minute == 0 else forms["hour_minute"]
        half = forms["morning"] if moment.hour < 12 else forms["afternoon"]
        return str(form).format(hour=moment.hour, hour12=moment.hour % 12 or 12, minute=moment.minute, half=half)

    def date(self, moment: calendar_date, with_year: bool = False) -> str:
        """A day: 'Saturday, November 21st', 'Samstag, der 21. November'; with its year where that is asked for."""
        words = self._data["date"]
        endings: dict[int, str] = words.get("ordinals", {})
        said = str(words["form"]).format(
            weekday=words["weekdays"][moment.weekday()],
            month=words["months"][moment.month - 1],
            day=moment.day,
            ordinal=endings.get(moment.day, words.get("ordinal", "")),
            year=moment.year,
        )
        return f"{said}, {moment.year}" if with_year else said

    def month(self, day: calendar_date) -> str:
        """'November'."""
        return str(self._data["date"]["months"][day.month - 1])

    def moment(self, due: datetime, now: datetime, days: tuple[int, ...] = ()) -> str:
        """When something is due: 'tomorrow at 7 AM', 'every weekday at 6:30 AM'."""
        words, at = self._data["moments"], self.time(due)
        if days:
            key = {tuple(range(7)): "daily", tuple(range(5)): "weekdays", (5, 6): "weekends"}.get(days, "every")
            weekday = self._data["date"]["weekdays"][days[0]]
            return str(words[key]).format(time=at, weekday=weekday)
        away = (due.date() - now.date()).days
        key = "today" if away == 0 else "tomorrow" if away == 1 else "weekday" if 1 < away < 7 else "date"
        weekday = self._data["date"]["weekdays"][due.weekday()]
        return str(words[key]).format(time=at, weekday=weekday, date=self.date(due))

    def number(self, value: Decimal) -> str:
        """A number as it is written in the language: '12,345.6', '12.345,6'."""
        plain = f"{value:,f}"
        return plain if self._data["point"] == "." else plain.translate(str.maketrans(",.", ".,"))

    def unit(self, code: str, one: bool = False) -> str:
        """The name of a unit of measure, for one or for several of it."""
        names = self._data["measures"][code]
        return str(names[0] if one else names[1])

    def count(self, unit: str, number: int) -> str:
        """'1 day', '3 days'."""
        return self._count(unit, number)

    def exactly(self, seconds: float) -> str:
        """A length of time to the second: '2 hours, 15 minutes and 30 seconds'; days too from two on."""
        whole = max(0, int(seconds))
        if whole >= 2 * 86400 and whole % 86400 == 0:
            return self._count("day", whole // 86400)
        counts = (("hour", whole // 3600), ("minute", whole % 3600 // 60), ("second", whole % 60))
        return self.join([self._count(unit, n) for unit, n in counts if n]) or self._count("second", 0)

    def duration(self, seconds: float) -> str:
        """What is left: '1 hour and 5 minutes', '30 seconds'. From an hour on without seconds, and never more than it is."""
        whole = max(0, round(seconds))
        if whole >= 3600:
            whole = whole // 60 * 60
        hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
        parts = [self._count(unit, n) for unit, n in (("hour", hours), ("minute", minutes), ("second", rest)) if n]
        return self.join(parts) if parts else self._count("second", 0)

    def length(self, seconds: float) -> str:
        """A length of time as a part of a name: '10 minute' (timer)."""
        whole = max(0, round(seconds))
        counts = (("hour", whole // 3600), ("minute", whole % 3600 // 60), ("second", whole % 60))
        return " ".join(f"{n} {self._data['attributive'][unit]}" for unit, n in counts if n)

    def nth(self, number: int) -> str:
        """'the first', 'the second'; beyond the words there are, the number."""
        words = self._data["nth"]
        return str(words[number - 1]) if number <= len(words) else str(number)

    def join(self, parts: list[str]) -> str:
        """'a', 'a and b', 'a, b and c'."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self._data['and']} {parts[-1]}"

    def either(self, parts: list[str]) -> str:
        """'a or b', 'a, b or c'."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self._data['or']} {parts[-1]}"

    def _count(self, unit: str, number: int) -> str:
        one, many = self._data["units"][unit]
        return f"{number} {many}" if number != 1 else str(one)


@lru_cache(maxsize=8)
def _templates(language: str) -> dict[str, Any]:
    file = resources.files("appliance.intents") / "data" / f"replies_{language}.yaml"
    tree: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tree
