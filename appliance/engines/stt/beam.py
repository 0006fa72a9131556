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

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


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
    loose: NDArray[np.bool_]
    free: NDArray[np.bool_]
    """The piece itself stands in a free-text slot."""
    regret: Floats


class Trace:
    """Which piece was said after which, as a tree shared by all hypotheses."""

    def __init__(self) -> None:
        self._parents = np.full(4096, NOWHERE, np.int64)
        self._pieces = np.zeros(4096, np.int64)
        self._regrets = np.zeros(4096, np.float32)
        self._free = np.zeros(4096, np.bool_)
        self._used = 1  # 0 is the root: nothing said

    def add(self, parents: Ints, pieces: Ints, regrets: Floats, free: NDArray[np.bool_]) -> Ints:
        """Numbers of the new nodes. `regrets`: how far each piece was behind the likeliest of its frame, natural log."""
        end = self._used + len(parents)
        while end > len(self._parents):
            self._parents = np.concatenate([self._parents, self._parents])
            self._pieces = np.concatenate([self._pieces, self._pieces])
            self._regrets = np.concatenate([self._regrets, self._regrets])
            self._free = np.concatenate([self._free, self._free])
        self._parents[self._used : end] = parents
        self._pieces[self._used : end] = pieces
        self._regrets[self._used : end] = regrets
        self._free[self._used : end] = free
        numbers = np.arange(self._used, end)
        self._used = end
        return numbers

    def pieces(self, node: int) -> list[int]:
        """What was said up to `node`, in order."""
        return [int(self._pieces[each]) for each in self._path(node)]

    def evidence(self, node: int) -> list[tuple[int, float, bool]]:
        """(piece, its regret, whether it stands in a free-text slot), in order."""
        path = self._path(node)
        return [(int(self._pieces[at]), float(self._regrets[at]), bool(self._free[at])) for at in path]

    def _path(self, node: int) -> list[int]:
        found = []
        while node > 0:
            found.append(node)
            node = int(self._parents[node])
        return found[::-1]

    def copy(self) -> Trace:
        """An independent copy."""
        other = Trace()
        other._parents, other._pieces, other._used = self._parents.copy(), self._pieces.copy(), self._used
        other._regrets, other._free = self._regrets.copy(), self._free.copy()
        return other


class Beam:
    """One search of one utterance."""

    def __init__(self, transducer: Transducer, states: States, width: Width) -> None:
        self._transducer = transducer
        self._states = states
        self._width = width
        self.trace = Trace()
        zero = np.zeros(1, np.int64)
        self.hypotheses = Hypotheses(zero, zero + transducer.first_context(), np.zeros(1, np.float32), zero, zero > 0)
        states.need(zero)

    def copy(self) -> Beam:
        """The search as it stands, to be led on independently."""
        other = Beam.__new__(Beam)
        other._transducer, other._states, other._width = self._transducer, self._states, self._width
        other.trace, other.hypotheses = self.trace.copy(), self.hypotheses
        return other

    def _take(self, known: Ints, scores: Floats) -> None:
        """Takes a frame: `scores` of shape (known contexts, pieces), natural log; `known` is in order."""
        now = self.hypotheses
        contexts, which = np.unique(now.context, return_inverse=True)
        likely = scores[np.searchsorted(known, contexts)]
        if float(likely[:, BLANK].min()) > SURELY_BLANK:
            score = now.score + likely[which, BLANK] - np.float32(self._width.blank_penalty)
            self.hypotheses = now._replace(score=score)
            return
        likely[:, BLANK] -= self._width.blank_penalty
        if self._width.internal_lm:
            likely -= np.float32(self._width.internal_lm) * self._transducer.expected(contexts)
        stay = _Candidates(
            np.arange(len(now.state)),
            np.zeros(len(now.state), np.int64),
            now.state,
            now.score + likely[which, BLANK],
            now.loose,
            now.state < 0,
            np.zeros(len(now.state), np.float32),
        )
        parts = [stay, self._said(now, likely, which), *self._free(now, likely, which)]
        self._keep(now, _Candidates(*(np.concatenate(each) for each in zip(*parts, strict=True))))

    def _said(self, now: Hypotheses, likely: Floats, which: Ints) -> _Candidates:
        """Pieces that the grammar's own words allow."""
        count = self._states.count[now.state]
        parent = np.repeat(np.arange(len(count)), count)
        first = np.repeat(self._states.start[now.state] - (np.cumsum(count) - count), count)
        at = first + np.arange(len(parent))
        pieces, targets, costs = self._states.pools
        piece = pieces[at].astype(np.int64)
        score = now.score[parent] + likely[which[parent], piece] - costs[at]
        regret = likely.max(axis=1)[which[parent]] - likely[which[parent], piece]
        return _Candidates(parent, piece, targets[at], score, now.loose[parent], parent < 0, regret)

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
        regret = likely.max(axis=1)[which[parent]] - likely[which[parent], piece]
        found = []
        for target, fits, cost in (
            (opens[parent], states.opens_word[piece], states.wild_word_cost[now.state[parent]]),
            (inside[parent], states.inside_word[piece], np.float32(states.wild_inside_cost)),
        ):
            chosen = (target != NOWHERE) & fits
            yes = np.ones(int(chosen.sum()), np.bool_)
            dear = (score - cost)[chosen]
            found.append(_Candidates(parent[chosen], piece[chosen], target[chosen], dear, yes, yes, regret[chosen]))
        return found

    def _keep(self, now: Hypotheses, found: _Candidates) -> None:
        """The best, one for each (state, context); those of free-text slots compete among themselves only."""
        strict = self._best(found, np.flatnonzero(~found.loose), self._width.hypotheses)
        loose = self._best(found, np.flatnonzero(found.loose), self._width.loose)
        kept = np.concatenate([strict, loose])
        kept = kept[np.argsort(-found.score[kept], kind="stable")]
        parent, piece, state = found.parent[kept], found.piece[kept], found.state[kept]
        spoken = piece != BLANK
        context = now.context[parent]
        context[spoken] = self._transducer.after(context[spoken], piece[spoken])
        trace = now.trace[parent]
        trace[spoken] = self.trace.add(
            trace[spoken], piece[spoken], found.regret[kept][spoken], found.free[kept][spoken]
        )
        self.hypotheses = Hypotheses(state, context, found.score[kept], trace, found.loose[kept])
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


def advance(transducer: Transducer, beams: Sequence[Beam], encoded: Encoded) -> None:
    """Leads `beams` through frames side by side: the joiner runs once a frame for all their contexts."""
    for frame in encoded:
        contexts = np.unique(np.concatenate([beam.hypotheses.context for beam in beams]))
        scores = transducer.log_probabilities(frame, contexts)
        for beam in beams:
            beam._take(contexts, scores)
