"""In: things. Out: a number for each, equal ones the same, counted from 0."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Interner(Generic[T]):
    """Things by number."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._all: list[T] = []

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, number: int) -> T:
        return self._all[number]

    def number(self, thing: T) -> int:
        """The number of `thing`; a new one where there is none yet."""
        number = self._numbers.setdefault(thing, len(self._all))
        if number == len(self._all):
            self._all.append(thing)
        return number
