"""In: a reply with dates, money, ranges and long numbers as they are written. Out: the same as people say them.

English and German; what espeak says well by itself (a bare number, a decimal point) is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\w-])")
_RANGE = re.compile(r"(?<=\d)(\s?(?:°[CF]?|%)?)\s?–\s?(?=-?\d)")
_RANGE_HYPHEN = re.compile(
    r"(?<![\w.,-])(\d+(?:[.,]\d+)?)-(\d+(?:[.,]\d+)?)(?=\s?(?:°|%|(?:km|cm|mm|kg|kW|min|h|m|s|g|l|W|V)\b))"
)
_MINUS = re.compile(r"(?<![\w.,-])-(?=\d)")
_GROUPED = {
    "en": re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?!\d)"),
    "de": re.compile(r"(?<![\w.,])\d{1,3}(?:\.\d{3})+(?!\d)"),
}
_GROUP_SIGN = {"en": ",", "de": "."}
_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,2})(?:st|nd|rd|th)(?!\w)")
_INITIALS = re.compile(r"(?<![\w'-])[A-Z]{2,4}(?![\w'])")
_VOWELS = frozenset("AEIOUY")
_SPELT = frozenset(["LED", "USB", "AC", "UV", "EU", "UK", "USA", "AI", "API", "URL", "ISO", "UPS", "ABC", "BBC", "EV"])
"""Initialisms with a vowel, which espeak takes for words."""
_HALVES = frozenset({"AM", "PM"})

# fmt: off
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "de": (
        "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
    ),
}
_TO = {"en": "to", "de": "bis"}
_ONES = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
)
_TENS = {
    2: ("twenty", "twentieth"), 3: ("thirty", "thirtieth"), 4: ("forty", "fortieth"), 5: ("fifty", "fiftieth"),
    6: ("sixty", "sixtieth"), 7: ("seventy", "seventieth"), 8: ("eighty", "eightieth"), 9: ("ninety", "ninetieth"),
}
# fmt: on
_MONEY: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "en": {
        "$": ("dollar", "dollars", "cent", "cents"),
        "€": ("euro", "euros", "cent", "cents"),
        "£": ("pound", "pounds", "penny", "pence"),
    },
    "de": {
        "$": ("Dollar", "Dollar", "Cent", "Cent"),
        "€": ("Euro", "Euro", "Cent", "Cent"),
        "£": ("Pfund", "Pfund", "Penny", "Pence"),
    },
}
"""Language → sign → (one, several, one hundredth, several hundredths)."""


def spelled_figures(text: str, language: str) -> str:
    """What is said for the figures of `text` in the base `language`; in a language without tables, as they stand."""
    if language not in _MONTHS:
        return text
    said = _ISO_DATE.sub(_date_in(language), text)
    said = _GROUPED[language].sub(lambda number: number[0].replace(_GROUP_SIGN[language], ""), said)
    said = _money(said, language)
    said = _RANGE_HYPHEN.sub(rf"\1 {_TO[language]} \2", _RANGE.sub(rf"\1 {_TO[language]} ", said))
    said = _MINUS.sub("minus ", said)
    if language == "en":
        said = _ORDINAL.sub(lambda match: ordinal(int(match[1])), said)
    return said if text.isupper() else _INITIALS.sub(_initials, said)


def ordinal(number: int) -> str:
    """'first', 'twenty-first' of 0..99."""
    if number < len(_ONES):
        return _ONES[number]
    ten, one = divmod(number, 10)
    return f"{_TENS[ten][0]}-{_ONES[one]}" if one else _TENS[ten][1]


def _date_in(language: str) -> Callable[[re.Match[str]], str]:
    def spelled(match: re.Match[str]) -> str:
        month, day = _MONTHS[language][int(match[2]) - 1], int(match[3])
        return f"{month} {ordinal(day)}, {match[1]}" if language == "en" else f"{day}. {month} {match[1]}"

    return spelled


def _money(text: str, language: str) -> str:
    point = r"\." if language == "en" else ","
    for sign, names in _MONEY[language].items():
        sum_ = rf"(\d+)(?:{point}(\d\d))?(?!\d)"
        mark = re.escape(sign)
        text = re.sub(rf"{mark}\s?(\d+(?:{point}\d+)?)\s(million|billion)", rf"\1 \2 {names[1]}", text)
        spelled = _coins(names, language)
        text = re.sub(rf"{mark}\s?{sum_}(?!{point}\d)", spelled, text)
        text = re.sub(rf"(?<![\w.,]){sum_}\s?{mark}", spelled, text)
    return text


def _coins(names: tuple[str, str, str, str], language: str) -> Callable[[re.Match[str]], str]:
    one, several, hundredth, hundredths = names

    def spelled(match: re.Match[str]) -> str:
        whole, rest = int(match[1]), int(match[2] or 0)
        coins = f"{rest} {hundredth if rest == 1 else hundredths}"
        if not whole and rest:
            return coins
        notes = f"{whole} {one if whole == 1 else several}"
        if not rest:
            return notes
        return f"{notes} and {coins}" if language == "en" else f"{notes} {rest}"

    return spelled


def _initials(match: re.Match[str]) -> str:
    word = match[0]
    if word in _HALVES or not (word in _SPELT or _VOWELS.isdisjoint(word)):
        return word
    return " ".join(word)
