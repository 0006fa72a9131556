"""In: made-up log probabilities of sixteen pieces. Out: what the free search says, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.stt.beam import BLANK, advance
from appliance.engines.stt.free import FreeSearch
from appliance.engines.stt.pieces import Vocabulary
from tests.unit.test_beam import Sound

PIECES = ["<blk>", "<unk>", *(f"\u2581{letter}" for letter in "abcdefghijklmn")]
A, B = PIECES.index("\u2581a"), PIECES.index("\u2581b")
UNKNOWN = PIECES.index("<unk>")


SILENT = (0.0,) * len(PIECES)


def used_to(**chances: float) -> Sound:
    """A decoder that expects these letters anyway."""
    expected = list(SILENT)
    for letter, chance in chances.items():
        expected[PIECES.index(f"\u2581{letter}")] = float(np.log(chance))
    return Sound(tuple(expected))


def frame(**likely: float) -> NDArray[np.float32]:
    """Probabilities by the letter said, `_` for the blank, `unk` for the unknown piece; the rest share what is left."""
    named = {"_": BLANK, "unk": UNKNOWN, "a": A, "b": B}
    chances = np.full(len(PIECES), (1 - sum(likely.values())) / (len(PIECES) - len(likely)), np.float32)
    for name, chance in likely.items():
        chances[named[name]] = chance
    return np.log(chances)


def searched(sound: Sound, *frames: NDArray[np.float32], blank_penalty: float = 0.0, share: float = 0.0) -> FreeSearch:
    search = FreeSearch(sound, Vocabulary(PIECES), blank_penalty, share)  # type: ignore[arg-type]
    advance(sound, [search], np.array(frames))  # type: ignore[arg-type]
    return search


def test_nothing_is_said_where_silence_is_likeliest_from_the_first_frame_on() -> None:
    assert searched(Sound(), frame(_=0.9, a=0.05), frame(_=0.9, a=0.05)).pieces() == []


def test_what_is_heard_is_said_in_order() -> None:
    assert searched(Sound(), frame(_=0.8), frame(a=0.8), frame(_=0.8), frame(b=0.8)).pieces() == [A, B]


def test_ways_to_the_same_piece_are_added_up() -> None:
    search = searched(Sound(), frame(_=0.5, a=0.4), frame(_=0.5, a=0.4))
    said = {each.context: each.score for each in search.hypotheses}
    # in the first frame, in the second, or (the context is the last piece only) in both
    assert np.exp(said[A]) == pytest.approx(2 * 0.4 * 0.5 + 0.4 * 0.4, rel=1e-5)


def test_a_piece_without_letters_is_never_said() -> None:
    assert searched(Sound(), frame(unk=0.9, a=0.05)).pieces() == [A]


def test_the_penalty_takes_from_silence_and_the_share_from_what_is_expected_anyway() -> None:
    heard = frame(_=0.5, a=0.25, b=0.2)
    assert searched(Sound(), heard).pieces() == []
    assert searched(Sound(), heard, blank_penalty=1.5).pieces() == [A]
    used_to_a = used_to(a=0.9, b=0.1)
    assert searched(used_to_a, heard, blank_penalty=1.5, share=0.3).pieces() == [B]


def test_a_copy_is_led_on_alone() -> None:
    search = searched(Sound(), frame(a=0.8))
    other = search.copy()
    advance(Sound(), [other], np.array([frame(b=0.8)]))  # type: ignore[arg-type]
    assert (search.pieces(), other.pieces()) == ([A], [A, B])
