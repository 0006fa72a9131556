"""In: what a sentence says, what was heard freely, both with their frames. Out: the sound and words it leaves unexplained.

A search that may only say sentences of a grammar always finds one, and the sum over a long sentence hides the one word
that does not fit ("don't", "except", "minus"). Each stretch must be accounted for by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.alignment import Way

_TURNING = "dont not never except but apart unless if when until every minus half quarter should why sorry"
TURNING = frozenset(_TURNING.split())
"""Words (letter form) that turn a command into another one or into none: heard and not in the sentence, one is enough.
Left out are those that small recognisers hear everywhere ("i", "and", "or", "who")."""
_SMALL = "one two three four five six seven eight nine ten eleven twelve"
_LARGE = "thir four fif six seven eigh nine"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
NUMBERS = frozenset(_SMALL.split()) | frozenset(_TENS.split()) | {f"{stem}teen" for stem in _LARGE.split()}


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What a sentence does not account for. Costs are natural logs."""

    skipped: float
    """Of the run of frames without a piece that sounds most like speech: by how much its likeliest pieces beat the blank."""
    stretch: float
    """Of the stretch where the free reading fits better than the sentence: by how much."""


def unexplained(ours: Way, rival: Way) -> Unexplained:
    """Compares two ways through the same frames."""
    return Unexplained(_worst_run(ours.loudest - ours.blank, ours.said), _worst_stretch(ours, rival))


def turning_words(said: str, heard: str, other: str) -> float:
    """0, 0.5 or 1: whether none, one or both of two free readings turn `said` round, or hold another number."""
    return sum(_turns(said.split(), text.split()) for text in (heard, other)) / 2


def _turns(said: list[str], heard: list[str]) -> bool:
    """Whether `heard` has a turning word more than `said`, or a number where `said` has another one.

    A turning word in the place of another word is a mishearing: "but two minutes" of "add two minutes".
    """
    missing = set(heard) - set(said)
    if not missing & (TURNING | NUMBERS):
        return False
    for kind, begin, end, first, last in SequenceMatcher(None, said, heard, autojunk=False).get_opcodes():
        ours, theirs = set(said[begin:end]), missing & set(heard[first:last])
        beside_number = ours & NUMBERS or (begin == end and set(said) & NUMBERS)
        if kind != "equal" and (
            (last - first > end - begin and theirs & TURNING) or (theirs & NUMBERS and beside_number)
        ):
            return True
    return False


def only_numbers_differ(said: str, other: str) -> bool:
    """Whether two sentences are the same but for numbers: "fifteen minutes", "fifty minutes"."""
    ours, theirs = said.split(), other.split()
    if ours == theirs or len(ours) != len(theirs):
        return False
    pairs = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    return all(a in NUMBERS and b in NUMBERS for a, b in pairs)


def _worst_run(ahead: NDArray[np.float32], said: NDArray[np.bool_]) -> float:
    """The largest sum of consecutive positive frames of `ahead` in which nothing is said."""
    counts = (ahead > 0) & ~said
    runs = np.cumsum(~counts)
    return float(np.bincount(runs, np.where(counts, ahead, 0.0)).max()) if len(ahead) else 0.0


def _worst_stretch(ours: Way, rival: Way) -> float:
    """The largest sum of consecutive frames by which `rival` is ahead (Kadane)."""
    ahead = np.cumsum(rival.own - ours.own, dtype=np.float64)
    before = np.minimum.accumulate(np.concatenate(([0.0], ahead)))[:-1]
    return float((ahead - before).max()) if len(ahead) else 0.0
