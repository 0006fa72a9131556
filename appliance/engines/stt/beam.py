"""In: log probabilities a frame. Out: the best ways through a grammar's states, a frame at a time.

Every hypothesis is (state, last two pieces, score, trace); one piece at most is said a frame. All is numpy: a frame of 200
hypotheses costs about a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.backpointers import Backpointers, Flags, Floats, Ints
from appliance.engines.stt.pieces import NOWHERE
from appliance.engines.stt.transducer import Encoded, Transducer

BLANK = 0
SURELY_BLANK = -1e-3
"""Natural log: where the blank is this sure after every context, nothing is said in the frame. A third of the time saved;
from -0.0001 to -0.01 the texts of 84 readings stayed the same."""
MEETING = 3
"""Candidates looked at for each one kept, so that ways that meet can be added up."""
FREE_PIECES = 16
"""Pieces tried in a free-text slot a hypothesis: the likeliest."""


class States(Protocol):
    """What the search walks: see PieceStates."""

    start: Ints
    count: Ints
    wild_word: Ints
    wild_word_cost: Floats
    wild_inside: Ints
    wild_inside_cost: float
    opens_word: NDArray[np.bool_]
    inside_word: NDArray[np.bool_]

    @property
    def pools(self) -> tuple[NDArray[np.int16], NDArray[np.int32], Floats]: ...

    def need(self, states: Ints) -> None: ...


@dataclass(frozen=True, slots=True)
class Width:
    """How much is kept."""

    hypotheses: int
    behind: float
    """Natural log: hypotheses this much behind the best are dropped."""
    loose: int
    """Hypotheses kept that went through a free-text slot: they fit any sound, and would crowd out the rest."""
    blank_penalty: float
    """Taken from the blank's log probability: a constrained search otherwise prefers short sentences."""
    internal_lm: float = 0.0
    """Share of the decoder's own expectation (`Transducer.expected`) that is taken back from every piece."""


class Hypotheses(NamedTuple):
    """One entry a hypothesis, best first."""

    state: Ints
    context: Ints
    score: Floats
    trace: Ints
    loose: NDArray[np.bool_]
    """Went through a free-text slot."""


class _Candidates(NamedTuple):
    parent: Ints
    piece: Ints
    state: Ints
    score: Floats
    loose: Flags
    free: Flags
    """The piece itself stands in a free-text slot."""


class Beam:
    """One search of one utterance through a grammar."""

    def __init__(self, transducer: Transducer, states: States, width: Width) -> None:
        self._transducer = transducer
        self._states = states
        self._width = width
        self.trace = Backpointers()
        self._frame = -1
        zero = np.zeros(1, np.int64)
        self.hypotheses = Hypotheses(zero, zero + transducer.first_context(), np.zeros(1, np.float32), zero, zero > 0)
        states.need(zero)

    @property
    def contexts(self) -> Ints:
        """What the next frame's probabilities are needed for."""
        return self.hypotheses.context

    def copy(self) -> Beam:
        """The search as it stands, to be led on independently."""
        other = Beam.__new__(Beam)
        other._transducer, other._states, other._width = self._transducer, self._states, self._width
        other.trace, other.hypotheses, other._frame = self.trace.copy(), self.hypotheses, self._frame
        return other

    def take(self, known: Ints, scores: Floats) -> None:
        """Takes a frame: `scores` of shape (known contexts, pieces), natural log; `known` is in order."""
        self._frame += 1
        now = self.hypotheses
        which = np.searchsorted(known, now.context)
        blank = scores[which, BLANK]
        stayed = now.score + blank - np.float32(self._width.blank_penalty)
        if float(blank.min()) > SURELY_BLANK:
            self.hypotheses = now._replace(score=stayed)
            return
        if self._width.internal_lm:
            scores = scores - np.float32(self._width.internal_lm) * self._transducer.expected(known)
        parts = [self._stays(now, stayed), self._said(now, scores, which), *self._free(now, scores, which)]
        found = _Candidates(*(np.concatenate(each) for each in zip(*parts, strict=True)))
        self._keep(now, found, scores, which)

    def _stays(self, now: Hypotheses, score: Floats) -> _Candidates:
        """Nothing more is said."""
        none = np.zeros(len(score), np.int64)
        return _Candidates(np.arange(len(score)), none, now.state, score, now.loose, none > 0)

    def _said(self, now: Hypotheses, likely: Floats, which: Ints) -> _Candidates:
        """Pieces that the grammar's own words allow."""
        count = self._states.count[now.state]
        parent = np.repeat(np.arange(len(count)), count)
        at = np.arange(len(parent)) + np.repeat(self._states.start[now.state] - (np.cumsum(count) - count), count)
        pieces, targets, costs = self._states.pools
        piece = pieces[at].astype(np.int64)
        score = likely.ravel()[(which * likely.shape[1])[parent] + piece] + now.score[parent] - costs[at]
        return _Candidates(parent, piece, targets[at], score, now.loose[parent], parent < 0)

    def _free(self, now: Hypotheses, likely: Floats, which: Ints) -> list[_Candidates]:
        """The likeliest pieces, for hypotheses where a free-text slot is open or may begin."""
        states = self._states
        opens, inside = states.wild_word[now.state], states.wild_inside[now.state]
        some = np.flatnonzero((opens != NOWHERE) | (inside != NOWHERE))
        if not len(some):
            return []
        rows, row = np.unique(which[some], return_inverse=True)
        best = np.argpartition(likely[rows, 1:], -FREE_PIECES, axis=1)[:, -FREE_PIECES:] + 1
        parent = np.repeat(some, FREE_PIECES)
        piece = best[row].ravel()
        score = now.score[parent] + likely[which[parent], piece]
        found = []
        for target, fits, cost in (
            (opens[parent], states.opens_word[piece], states.wild_word_cost[now.state[parent]]),
            (inside[parent], states.inside_word[piece], np.float32(states.wild_inside_cost)),
        ):
            chosen = (target != NOWHERE) & fits
            dear = (score - cost)[chosen]
            yes = chosen[chosen]
            found.append(_Candidates(parent[chosen], piece[chosen], target[chosen], dear, yes, yes))
        return found

    def _keep(self, now: Hypotheses, found: _Candidates, likely: Floats, which: Ints) -> None:
        """The best, one for each (state, context); those of free-text slots compete among themselves only."""
        strict = self._best(found, np.flatnonzero(~found.loose), self._width.hypotheses)
        kept = np.concatenate([strict, self._best(found, np.flatnonzero(found.loose), self._width.loose)])
        kept = kept[np.argsort(-found.score[kept], kind="stable")]
        parent, piece, state, score, loose, free = (each[kept] for each in found)
        spoken = np.flatnonzero(piece != BLANK)
        said, row = piece[spoken], which[parent[spoken]]
        context, trace = now.context[parent], now.trace[parent]
        context[spoken] = self._transducer.after(context[spoken], said)
        regret = likely.max(axis=1)[row] - likely[row, said]
        trace[spoken] = self.trace.add(trace[spoken], said, regret, free[spoken], self._frame)
        self.hypotheses = Hypotheses(state, context, score, trace, loose)
        self._states.need(state)

    def _best(self, found: _Candidates, among: Ints, count: int) -> Ints:
        """Positions in `found` of the best `count` that differ in state or in the last two pieces.

        Ways that meet there become the likeliest of them, with the score of all of them together.
        """
        if not len(among) or not count:
            return among[:0]
        score = found.score[among]
        among = among[score > score.max() - self._width.behind]
        if len(among) > MEETING * count:
            among = among[np.argpartition(found.score[among], -MEETING * count)[-MEETING * count :]]
        among = among[np.argsort(-found.score[among], kind="stable")]
        piece = found.piece[among]
        context = self.hypotheses.context[found.parent[among]]
        context = np.where(piece != BLANK, self._transducer.after(context, piece), context)
        place = found.state[among] * self._transducer.context_count + context
        _, first, meeting = np.unique(place, return_index=True, return_inverse=True)
        score = found.score[among]
        together = np.bincount(meeting, np.exp(score - score[0], dtype=np.float64))
        found.score[among[first]] = np.log(together) + score[0]
        best: Ints = among[first[np.argsort(-together, kind="stable")[:count]]]
        return best


class Search(Protocol):
    """What `advance` leads: see Beam and FreeSearch."""

    @property
    def contexts(self) -> Ints: ...

    def take(self, known: Ints, scores: Floats) -> None: ...


def advance(transducer: Transducer, searches: Sequence[Search], encoded: Encoded) -> None:
    """Leads `searches` through frames side by side: the joiner runs once a frame for all their contexts."""
    for frame in encoded:
        known = np.unique(np.concatenate([search.contexts for search in searches]))
        scores = transducer.log_probabilities(frame, known)
        for search in searches:
            search.take(known, scores)
