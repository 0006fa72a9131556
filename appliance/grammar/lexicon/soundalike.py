"""In: English words. Out: of the rare ones, other letters that a recogniser may write them with, the nearest first.

A small recogniser writes a word that it has seldom heard as it sounds: "mocha" as "moca", "cappuccino" as "capuchino". How
words sound and how rare they are say the pronouncing dictionary and the language model that pocketsphinx brings.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from appliance.grammar.lexicon.dictionary import Sounds, pronounced, rarer

log = logging.getLogger(__name__)

MOST_SPELLINGS = 8
"""Of one word: half of them the nearest to the word, half the plainest for its sound."""
MOST_SWAPS = 3
"""Sounds of one word that are not in their plainest letters at the same time."""
MOST_TRIED = 400
"""Spellings of one pronunciation that are compared with the word."""
RARE = -13.0
"""Natural log: words that are one in 440,000 or fewer of general English. The recogniser knows the common ones; theirs would
only be more to take for others: with theirs too 372 of 400 orders in noise were right, without 377."""
_WAYS = {
    sound: ways.split()
    for sound, ways in (
        row.split(": ")
        for row in """\
AA: o a
AE: a
AH: u a o e
AO: o aw au
AW: ow ou
AY: i y
EH: e
ER: er ur
EY: ay a ai
IH: i e
IY: ee i y
OW: o oa
OY: oy
UH: oo u
UW: oo u
B: b
CH: ch
D: d
DH: th
F: f
G: g
HH: h
JH: j g
L: l
M: m
N: n
NG: ng
P: p
R: r
SH: sh
T: t
TH: th
V: v
W: w
Y: y
Z: z s
ZH: zh s""".splitlines()
    )
}
"""ARPAbet → letters, the plainest first; more depends on what stands around a sound (see _letters)."""
_VOWELS = frozenset("AEIOU")
"""First letters of vowels."""
_FRONT = {"IY", "IH", "EH", "EY", "AY"}
"""Vowels before which c is read as s."""


def soundalikes(words: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Word (a to z) → at most MOST_SPELLINGS others, of those that are rare and in the dictionary. Blocks for 0.2 s."""
    return dict(_soundalikes(frozenset(words)))


@lru_cache(4)
def _soundalikes(words: frozenset[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    try:
        sounds = pronounced(words) if words else {}
        rare = rarer(sorted(sounds), RARE) if sounds else []
    except OSError as error:
        log.warning("no pronouncing dictionary: words are listened for as they are written only (%s)", error)
        return ()
    return tuple((word, found) for word in rare if (found := _nearest(word, sounds[word])))


def _nearest(word: str, pronunciations: Sequence[Sounds]) -> tuple[str, ...]:
    """The plainest spellings of the sound, and those that share most letters with the word."""
    every = dict.fromkeys(
        text for sounds in pronunciations for text in itertools.islice(_spellings(sounds), MOST_TRIED) if text != word
    )
    nearest = sorted(every, key=lambda text: -_likeness(word, text))
    half = MOST_SPELLINGS // 2
    return tuple(dict.fromkeys([*nearest[:half], *itertools.islice(every, half), *nearest[half:]]))[:MOST_SPELLINGS]


def _likeness(word: str, text: str) -> float:
    """Share of common letters, 0..1 (Ratcliff-Obershelp)."""
    return SequenceMatcher(None, word, text, autojunk=False).ratio()


def _spellings(sounds: Sounds) -> Iterator[str]:
    """The least departures from the plainest letters first."""
    rows = [_letters(sounds, at) for at in range(len(sounds))]
    kept: list[tuple[int, dict[int, int]]] = []
    for count in range(MOST_SWAPS + 1):
        for places in itertools.combinations(range(len(rows)), count):
            for ways in itertools.product(*(range(1, len(rows[place])) for place in places)):
                kept.append((sum(ways), dict(zip(places, ways, strict=True))))  # noqa: PERF401
    kept.sort(key=lambda each: each[0])
    return ("".join(row[swaps.get(at, 0)] for at, row in enumerate(rows)) for _, swaps in kept)


def _letters(sounds: Sounds, at: int) -> Sequence[str]:
    """Ways to write the sound at `at`, by what stands around it."""
    sound = sounds[at]
    before, behind = sounds[at - 1][0] if at else "", sounds[at + 1] if at + 1 < len(sounds) else ""
    match sound:
        case "AH" if not behind:
            return ("a", "er")
        case "OW" if not behind:
            return ("o",)
        case "K":
            hard = ("k",) if behind in _FRONT else ("k", "c") if before else ("c", "k")
            return (*hard, "ck") if before in _VOWELS else hard
        case "S":
            return ("s", "c") if behind in _FRONT else ("s", "ss") if before in _VOWELS else ("s",)
        case "T" if before in _VOWELS and behind[:1] in _VOWELS:
            return ("t", "tt")
    return _WAYS[sound]
