"""In: ids of messages (run and number). Out: repeats, gaps, and whether two devices share one name."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

RECENT = 64
"""Numbers remembered below the highest: repeats and late ones come within the device's 20 in flight."""
ALTERNATIONS = 3
"""So often must a run come back after another one: a restart changes the run once and for good."""
DOUBLE_S = 600.0
"""So long after the last return, the double is gone."""


class Numbered(Enum):
    """What a number tells."""

    NEW = auto()
    REPEATED = auto()


@dataclass(slots=True)
class _Run:
    name: str
    highest: int
    missing: set[int] = field(default_factory=set)
    """Below the highest, within RECENT."""


@dataclass(slots=True)
class Numbering:
    """Follows the two newest runs of one name."""

    lost: int = 0
    """Numbers that never came."""
    double_s: float | None = None
    """Since when two devices use the name; monotonic."""
    _run: _Run | None = None
    _older: _Run | None = None
    _returns: int = 0
    _returned_s: float = 0.0

    def take(self, run: str, number: int, now_s: float) -> Numbered:
        """One numbered message."""
        current = self._run
        if current is None or current.name != run:
            current = self._switch(run, number, now_s)
        if number > current.highest:
            self._missing(current, number)
            current.highest = number
            return Numbered.NEW
        if number in current.missing:
            current.missing.discard(number)
            return Numbered.NEW
        return Numbered.REPEATED

    def _switch(self, run: str, number: int, now_s: float) -> _Run:
        """Another run speaks: the device was started anew, or there are two."""
        if self._older is not None and self._older.name == run:
            self._run, self._older = self._older, self._run
            self._returns = self._returns + 1 if now_s - self._returned_s < DOUBLE_S else 1
            self._returned_s = now_s
            if self._returns >= ALTERNATIONS and self.double_s is None:
                self.double_s = now_s
            assert self._run is not None
            return self._run
        self._older, self._run = self._run, _Run(run, number - 1)
        return self._run

    def _missing(self, run: _Run, number: int) -> None:
        if number > run.highest + 1:
            first = max(run.highest + 1, number - RECENT)
            self.lost += first - run.highest - 1
            run.missing.update(range(first, number))
        if run.missing:
            late = [old for old in run.missing if old < number - RECENT]
            self.lost += len(late)
            run.missing.difference_update(late)

    def single(self, now_s: float) -> bool:
        """Whether a double has just gone: asked from time to time."""
        if self.double_s is not None and now_s - self._returned_s > DOUBLE_S:
            self.double_s, self._returns = None, 0
            return True
        return False
