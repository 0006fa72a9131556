"""In: a name as it is written. Out: the ways it may be spoken, free of template signs, numbers as digits and as words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from hassil.numbers import get_rbnf_engine

_NO_SPEECH = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"(\d+)")
_LONGEST_NUMBER = 6
"""Digits; a longer number in a name is a code that nobody speaks as one number."""


def spoken_forms(name: str, language: str) -> tuple[str, ...]:
    """The ways `name` may be said, best first; none if nothing in it can be spoken.

    >>> spoken_forms("Light 2 (old)", "en")
    ('Light 2 old', 'Light two old')
    """
    plain = _without_signs(name)
    if not plain:
        return ()
    return tuple(dict.fromkeys(_forms(plain, language)))


def _forms(plain: str, language: str) -> Iterator[str]:
    yield plain
    if _DIGITS.search(plain):
        yield _without_signs(_DIGITS.sub(lambda found: f" {_words(found.group(), language)} ", plain))


def _without_signs(text: str) -> str:
    """Letters, digits, apostrophes and combining marks stay; everything else would be template syntax or is silent."""
    kept = "".join(sign if sign.isalnum() or sign in "'’" or not sign.isascii() else " " for sign in text)
    words = [word for word in kept.split() if _NO_SPEECH.sub("", word)]
    return " ".join(words)


@lru_cache(maxsize=4096)
def _words(digits: str, language: str) -> str:
    if len(digits) > _LONGEST_NUMBER:
        return digits
    try:
        return str(get_rbnf_engine(language).format_number(int(digits)).text)
    except (ValueError, NotImplementedError):
        return digits
