"""In: made-up log probabilities, a two-sentence grammar. Out: what the search makes of ways that meet, and of expectation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.stt.beam import Beam, Width, advance
from appliance.engines.stt.pieces import NOWHERE

FIRST, SECOND = 1, 2


class TwoSentences:
    """State 0 says piece 1 → state 1, or piece 2 → state 2; there both are over."""

    start = np.array([0, 2, 2])
    count = np.array([2, 0, 0])
    wild_word = wild_inside = np.full(3, NOWHERE)
    wild_word_cost = np.zeros(3, np.float32)
    wild_inside_cost = 0.0
    opens_word = inside_word = np.ones(3, np.bool_)
    pools = (np.array([FIRST, SECOND]), np.array([1, 2]), np.zeros(2, np.float32))

    def need(self, states: NDArray[np.int64]) -> None:
        """All states are there."""


class Sound:
    """Frames are the log probabilities themselves, whatever was said before."""

    context_count = 16

    def __init__(self, expected: tuple[float, ...] = (0.0, 0.0, 0.0)) -> None:
        self._expected = np.array(expected, np.float32)

    def log_probabilities(self, encoded: NDArray[np.float32], contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.tile(encoded, (len(contexts), 1))

    def expected(self, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.tile(self._expected, (len(contexts), 1))

    def first_context(self) -> int:
        return 0

    def after(self, contexts: NDArray[np.int64], pieces: NDArray[np.int64]) -> NDArray[np.int64]:
        return pieces


def searched(frames: list[list[float]], sound: Sound, width: Width) -> dict[int, float]:
    """State → score after the frames, given as probabilities."""
    beam = Beam(sound, TwoSentences(), width)  # type: ignore[arg-type]
    advance(sound, [beam], np.log(np.array(frames, np.float32)))  # type: ignore[arg-type]
    return dict(zip(beam.hypotheses.state.tolist(), beam.hypotheses.score.tolist(), strict=True))


WIDTH = Width(8, 30.0, 0, 0.0)


def test_ways_to_the_same_words_are_added_up() -> None:
    scores = searched([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]], Sound(), WIDTH)
    assert np.exp(scores[1]) == pytest.approx(0.3 * 0.6 + 0.6 * 0.3)  # said in the first frame, or in the second


def test_a_share_of_what_the_decoder_expects_anyway_is_taken_back() -> None:
    heard = [[0.2, 0.45, 0.35]]
    used_to_the_first = Sound((0.0, float(np.log(0.8)), float(np.log(0.1))))
    plain = searched(heard, used_to_the_first, WIDTH)
    fair = searched(heard, used_to_the_first, Width(8, 30.0, 0, 0.0, internal_lm=0.3))
    assert plain[1] > plain[2]
    assert fair[2] > fair[1]
    assert fair[0] == pytest.approx(plain[0])  # the blank stays as it is
