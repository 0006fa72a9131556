"""In: log probabilities a frame. Out: the likeliest pieces, whatever they spell.

A few hypotheses only, so that plain numbers are quicker than arrays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from appliance.engines.stt.backpointers import Floats, Ints
from appliance.engines.stt.beam import BLANK, MEETING, SURELY_BLANK
from appliance.engines.stt.pieces import Vocabulary
from appliance.engines.stt.transducer import Transducer

WIDTH = 4
"""Hypotheses kept."""


class Said(NamedTuple):
    """A piece and what was said before it."""

    piece: int
    frame: int
    """In which it was said, counted from the first of the utterance."""
    before: Said | None


class Hypothesis(NamedTuple):
    context: int
    score: float
    """Natural log."""
    said: Said | None


class FreeSearch:
    """One search of one utterance that may say anything. `blank_penalty`, `internal_lm`: see beam.Width."""

    def __init__(
        self, transducer: Transducer, vocabulary: Vocabulary, blank_penalty: float, internal_lm: float = 0.0
    ) -> None:
        self._transducer = transducer
        self._unsaid = np.flatnonzero(~(vocabulary.opens_word | vocabulary.inside_word | vocabulary.is_silent))
        self._blank_penalty, self._internal_lm = blank_penalty, np.float32(internal_lm)
        self._frame = -1
        self.hypotheses = [Hypothesis(transducer.first_context(), 0.0, None)]

    @property
    def contexts(self) -> Ints:
        """What the next frame's probabilities are needed for."""
        return np.array([each.context for each in self.hypotheses])

    @property
    def score(self) -> float:
        """Natural log, of the best hypothesis."""
        return self.hypotheses[0].score

    def pieces(self) -> list[int]:
        """What the best hypothesis says."""
        return [piece for _, piece in self.timed()]

    def timed(self) -> list[tuple[int, int]]:
        """(frame, piece said in it) of the best hypothesis, in order."""
        found, said = [], self.hypotheses[0].said
        while said is not None:
            found.append((said.frame, said.piece))
            said = said.before
        return found[::-1]

    def copy(self) -> FreeSearch:
        """The search as it stands, to be led on independently."""
        other = FreeSearch.__new__(FreeSearch)
        other._transducer, other._unsaid = self._transducer, self._unsaid
        other._blank_penalty, other._internal_lm = self._blank_penalty, self._internal_lm
        other.hypotheses, other._frame = self.hypotheses, self._frame
        return other

    def take(self, known: Ints, scores: Floats) -> None:
        """Takes a frame: `scores` of shape (known contexts, pieces), natural log; `known` is in order."""
        self._frame += 1
        now = self.hypotheses
        contexts = self.contexts
        likely = scores[np.searchsorted(known, contexts)]
        blanks = likely[:, BLANK].tolist()
        stays = [
            Hypothesis(each.context, each.score + blank - self._blank_penalty, each.said)
            for each, blank in zip(now, blanks, strict=True)
        ]
        if min(blanks) > SURELY_BLANK:
            self.hypotheses = stays
            return
        candidates = sorted([*stays, *self._said(contexts, likely)], key=lambda each: -each.score)[: MEETING * WIDTH]
        best: dict[int, list[Hypothesis]] = {}
        for each in candidates:
            best.setdefault(each.context, []).append(each)
        together = [ways[0]._replace(score=_sum([way.score for way in ways])) for ways in best.values()]
        self.hypotheses = sorted(together, key=lambda each: -each.score)[:WIDTH]

    def _said(self, contexts: Ints, likely: Floats) -> list[Hypothesis]:
        """The likeliest next pieces of all hypotheses together."""
        now = self.hypotheses
        if self._internal_lm:
            likely -= self._internal_lm * self._transducer.expected(contexts)
        likely += np.array([[each.score] for each in now], np.float32)
        likely[:, self._unsaid] = -np.inf
        flat = likely.ravel()
        at = np.argpartition(flat, -MEETING * WIDTH)[-MEETING * WIDTH :]
        rows, pieces = np.divmod(at, likely.shape[1])
        contexts = self._transducer.after(contexts[rows], pieces)
        return [
            Hypothesis(context, score, Said(piece, self._frame, now[row].said))
            for context, score, piece, row in zip(
                contexts.tolist(), flat[at].tolist(), pieces.tolist(), rows.tolist(), strict=True
            )
        ]


def _sum(scores: list[float]) -> float:
    """Of probabilities given as natural logs, the first the largest."""
    return scores[0] if len(scores) == 1 else scores[0] + math.log(sum(math.exp(s - scores[0]) for s in scores))
