"""In: pieces as a search says them. Out: the way that led to a hypothesis: a tree that all hypotheses share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.pieces import NOWHERE

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


class Backpointers:
    """Which piece was said after which, as a tree shared by all hypotheses."""

    def __init__(self) -> None:
        self._parents = np.full(4096, NOWHERE, np.int64)
        self._pieces = np.zeros(4096, np.int64)
        self._regrets = np.zeros(4096, np.float32)
        self._free = np.zeros(4096, np.bool_)
        self._frames = np.zeros(4096, np.int32)
        self._used = 1  # 0 is the root: nothing said

    def add(self, parents: Ints, pieces: Ints, regrets: Floats, free: Flags, frame: int) -> Ints:
        """Numbers of the new nodes. `regrets`: how far each piece was behind the likeliest of its frame, natural log.

        `frame`: in which they are said, counted from the first of the utterance.
        """
        end = self._used + len(parents)
        while end > len(self._parents):
            self._parents = np.concatenate([self._parents, self._parents])
            self._pieces = np.concatenate([self._pieces, self._pieces])
            self._regrets = np.concatenate([self._regrets, self._regrets])
            self._free = np.concatenate([self._free, self._free])
            self._frames = np.concatenate([self._frames, self._frames])
        self._parents[self._used : end] = parents
        self._pieces[self._used : end] = pieces
        self._regrets[self._used : end] = regrets
        self._free[self._used : end] = free
        self._frames[self._used : end] = frame
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

    def timed(self, node: int) -> list[tuple[int, int]]:
        """(frame, piece said in it), in order."""
        return [(int(self._frames[at]), int(self._pieces[at])) for at in self._path(node)]

    def _path(self, node: int) -> list[int]:
        found = []
        while node > 0:
            found.append(node)
            node = int(self._parents[node])
        return found[::-1]

    def copy(self) -> Backpointers:
        """An independent copy."""
        other = Backpointers()
        other._parents, other._pieces, other._used = self._parents.copy(), self._pieces.copy(), self._used
        other._regrets, other._free, other._frames = self._regrets.copy(), self._free.copy(), self._frames.copy()
        return other
