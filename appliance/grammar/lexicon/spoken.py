"""In: written words and numbers. Out: the ways to say them, in the one letter form that grammar and recogniser share.

The letter form is casefolded words joined by single spaces; apostrophes count for nothing, hyphens and slashes end a word.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

from hassil.numbers import get_rbnf_engine

APOSTROPHES = "'’`ʼ"
MOST_WAYS = 12
"""Spoken forms of one written text; more are cut off."""
MOST_SPELLED = 4
"""Letters of the longest word that is also spelled out: TV, LED, HVAC."""

_PIECES = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:['’`ʼ][^\W\d_]+)*['’`ʼ]?|[%°&+]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SIGNS = {
    "en": {"%": "percent", "°": "degrees", "&": "and", "+": "plus"},
    "de": {"%": "prozent", "°": "grad", "&": "und", "+": "plus"},
    "fr": {"%": "pour cent", "°": "degrés", "&": "et", "+": "plus"},
    "es": {"%": "por ciento", "°": "grados", "&": "y", "+": "más"},
}


def letters(text: str) -> str:
    """The letter form of `text` as it stands: 'What's  the TV-time?' → 'whats the tv time'."""
    plain = unicodedata.normalize("NFC", text.casefold())
    kept = "".join(c if c.isalnum() else "" if c in APOSTROPHES else " " for c in plain)
    return " ".join(kept.split())


@lru_cache(65536)
def number_words(number: float, language: str) -> tuple[str, ...]:
    """Ways to say a number, e.g. 105 → ('one hundred five', 'one hundred and five'); empty for an unknown language."""
    try:
        engine = get_rbnf_engine(language)
    except ValueError:
        return ()
    said = {letters(words) for words in engine.format_number(number).text_by_ruleset.values()}
    if language.split("-")[0] == "en":
        said |= {re.sub(r"\bhundred (?=\w)", "hundred and ", words) for words in said}
        said |= {re.sub(r"^one hundred", "a hundred", words) for words in said}
        if number == int(number) and 1000 < number < 10000 and number % 1000 and number % 100 == 0:
            said |= {f"{words} hundred" for words in number_words(number // 100, language)}
    return tuple(sorted(said))


@lru_cache(65536)
def ways(text: str, language: str) -> tuple[str, ...]:
    """Spoken letter forms of a written text, the plainest first: 'TV 2' → ('tv two', 't v two')."""
    forms = [_piece_ways(piece, language) for piece in _PIECES.findall(text)]
    if not forms or not all(forms):
        return ()
    return tuple(dict.fromkeys(itertools.islice((" ".join(each) for each in itertools.product(*forms)), MOST_WAYS)))


def respelled(said: str, spellings: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """`said` with one of its words in the other letters of `spellings` (word → others)."""
    words = said.split()
    for at, word in enumerate(words):
        for other in spellings.get(word, ()):
            yield " ".join([*words[:at], other, *words[at + 1 :]])


def _piece_ways(piece: str, language: str) -> tuple[str, ...]:
    if piece[0].isdigit():
        value = float(piece.replace(",", "."))
        return number_words(int(value) if value == int(value) else value, language)
    if not piece[0].isalpha():
        sign = _SIGNS.get(language.split("-")[0], {}).get(piece)
        return (sign,) if sign else ()
    return tuple(dict.fromkeys(_word_ways(piece)))


def _word_ways(word: str) -> Iterator[str]:
    yield letters(word)
    if _CAMEL.search(word):
        yield letters(_CAMEL.sub(" ", word))
    if is_spelled(word):
        yield " ".join(letters(word))


def is_spelled(word: str) -> bool:
    """Whether people may spell a word out: capitals only (AC), or no vowel at all (tv, dvd)."""
    if not (2 <= len(word) <= MOST_SPELLED and word.isalpha() and word.upper() != word.lower()):
        return False
    return word.isupper() or not set(unicodedata.normalize("NFD", word.casefold())) & set("aeiouyаеиоуыэюяєіїαεηιουω")
