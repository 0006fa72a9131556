"""In: plain text of a template. Out: its letters with what is written for each, and words said otherwise than written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from appliance.grammar.lexicon.spoken import APOSTROPHES, is_spelled, letters, ways

_WORDS = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[%°&+]|[^\w%°&+]+|_+")


def can_say(text: str, language: str) -> bool:
    """Whether every figure and sign of `text` has words in `language`."""
    return all(ways(word, language) for word in _WORDS.findall(text) if _is_special(word))


def parts_of(text: str, *, words: bool = False) -> Iterable[tuple[tuple[str, str], ...] | str]:
    """Stretches of plain text as (letter, written), and words that are said otherwise than they are written.

    With `words`, that is every word.
    """
    plain: list[tuple[str, str]] = []
    for word in _WORDS.findall(text):
        if not (_is_special(word) or (words and word.isalpha())):
            plain += [pair for sign in word for pair in _heard(sign)]
            continue
        yield tuple(plain)
        yield word
        plain = []
    yield tuple(plain)


def _heard(sign: str) -> list[tuple[str, str]]:
    """A sign as it is written: apostrophes are not heard, everything between words is a word's end."""
    heard = letters(sign) if sign.isalnum() else "" if sign in APOSTROPHES + ".,!?;:" else " "
    return [(heard[:1], sign), *((letter, "") for letter in heard[1:])]


def _is_special(word: str) -> bool:
    """Whether `word` is said otherwise than it is written."""
    return word[0].isdigit() or word[0] in "%°&+" or is_spelled(word)
