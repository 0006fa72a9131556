"""In: CPU seconds a search may take. Out: an end to it from inside hassil's lists, which long searches pass through."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hassil.intents import TextSlotList, TextSlotValue


class Spent(Exception):
    """The budget is used up."""


class Budget:
    """CPU time of the thread that searches; not running, it never ends anything."""

    def __init__(self) -> None:
        self._until_s: float | None = None

    def start(self, seconds: float) -> None:
        self._until_s = time.thread_time() + seconds

    def stop(self) -> None:
        self._until_s = None

    def check(self) -> None:
        """Raises Spent when the time is over."""
        if self._until_s is not None and time.thread_time() > self._until_s:
            raise Spent


class _WatchedValues(list[TextSlotValue]):
    """Values of a list that look at the clock while they are gone through (hassil does so behind an open wildcard)."""

    STEP = 256

    def __init__(self, values: list[TextSlotValue], budget: Budget) -> None:
        super().__init__(values)
        self._budget = budget

    def __iter__(self) -> Iterator[TextSlotValue]:
        for place, value in enumerate(super().__iter__()):
            if place % self.STEP == 0:
                self._budget.check()
            yield value


def watched(values: TextSlotList, budget: Budget) -> None:
    """Makes `values` raise Spent when `budget` is over."""
    values.values = _WatchedValues(values.values, budget)
