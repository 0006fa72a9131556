"""In: the sounds of a word, as IPA. Out: how somebody who knows English only would write them, the plainest first.

So an English recogniser, which holds English letters only, can listen for a name of another language: "Лампа" as "lampa".
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator

MOST_SPELLINGS = 24
MOST_SWAPS = 2
"""Sounds of one name that are not in their plainest letters at the same time."""

_WAYS = {
    "tʃ": "ch",
    "tɕ": "ch",
    "ts": "ts s",
    "dʒ": "j",
    "pf": "f",
    "kv": "kv qu",
    "a": "a o u",
    "ɑ": "a o u",
    "ɐ": "a er",
    "ʌ": "a u",
    "æ": "a",
    "ə": "a e",
    "ɜ": "er a",
    "ɛ": "e a",
    "e": "e ay",
    "ɪ": "i e",
    "i": "ee i e",
    "ɨ": "i",
    "ɯ": "oo u",
    "o": "o aw",
    "ɔ": "o au",
    "u": "oo u",
    "ʊ": "u oo",
    "y": "u oo e",
    "ʏ": "u i",
    "ø": "er u",
    "œ": "er u",
    "ɵ": "u",
    "aɪ": "i y",
    "aʊ": "ow ou",
    "ɔø": "oy",
    "ɔɪ": "oy",
    "b": "b",
    "d": "d",
    "f": "f",
    "ɡ": "g",
    "h": "h",
    "j": "y i",
    "k": "k c",
    "c": "k",
    "ɟ": "g",
    "l": "l",
    "ɭ": "l",
    "ɫ": "l",
    "ʎ": "ly",
    "m": "m",
    "n": "n",
    "ɲ": "ny",
    "ŋ": "ng",
    "p": "p",
    "t": "t",
    "v": "v",
    "w": "w v",
    "r": "r",
    "ɾ": "r",
    "ɽ": "r",
    "ʁ": "r",
    "ɹ": "r",
    "s": "s ss",
    "z": "z s",
    "ʃ": "sh",
    "ʂ": "sh",
    "ɕ": "sh",
    "ç": "sh h",
    "ʒ": "zh s g",
    "ʐ": "zh s",
    "ʑ": "zh sh s",
    "x": "h k",
    "χ": "h k",
    "ɣ": "g",
    "β": "v",
    "ð": "th",
    "θ": "th",
}
"""IPA as espeak-ng writes it → letters. Stress, length and what is not here count for nothing."""
_NASAL = "\u0303"
_MARKS = re.compile("[ˈˌːˑʲʰ\u0324-\u0326\u0329-\u0361]")
_Sounds = list[tuple[str, ...]]


def spellings(ipa: str) -> tuple[str, ...]:
    """At most MOST_SPELLINGS texts of the letters a to z and spaces; none where no sound is known.

    >>> spellings("lˈɑmpa")[:3]
    ('lampa', 'lompa', 'lampo')
    """
    words = [sounds for word in ipa.split() if (sounds := _sounds(word))]
    found: dict[str, None] = {}
    for swaps in _swaps([sound for word in words for sound in word]):
        found.setdefault(_spelled(words, swaps))
        if len(found) == MOST_SPELLINGS:
            break
    return tuple(text for text in found if text)


def _sounds(word: str) -> _Sounds:
    """Ways to write each sound of a word."""
    plain = unicodedata.normalize("NFD", word.replace("ç", "ɕ"))  # its cedilla is a mark of its own otherwise
    plain = _MARKS.sub("", plain)
    sounds: _Sounds = []
    at = 0
    while at < len(plain):
        long = plain[at : at + 2]
        sound = long if long in _WAYS else plain[at]
        at += len(sound)
        if ways := "n" if sound == _NASAL else _WAYS.get(sound):
            sounds.append(tuple(ways.split()))
    return sounds


def _swaps(sounds: _Sounds) -> Iterator[dict[int, int]]:
    """Which sounds are not written in their plainest way (place → way): the least departures first."""
    kept: list[tuple[int, tuple[tuple[int, int], ...]]] = [(0, ())]
    for count in range(1, MOST_SWAPS + 1):
        for places in itertools.combinations(range(len(sounds)), count):
            for ways in itertools.product(*(range(1, len(sounds[place])) for place in places)):
                kept.append((sum(ways), tuple(zip(places, ways, strict=True))))  # noqa: PERF401
    return (dict(each) for _, each in sorted(kept))


def _spelled(words: list[_Sounds], swaps: dict[int, int]) -> str:
    place = itertools.count()
    said = ("".join(sound[swaps.get(next(place), 0)] for sound in word) for word in words)
    return re.sub(r"(.)\1\1+", r"\1\1", " ".join(said))
