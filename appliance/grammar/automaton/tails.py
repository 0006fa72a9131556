"""In: texts with what is written for each letter. Out: a number for each of their ends: a place in a text is one number."""

from __future__ import annotations

from collections.abc import Iterable


class Tails:
    """Ends of texts, equal ones once. Tail 0 is the empty one."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._all: list[tuple[str, str, int]] = [("", "", 0)]

    def __getitem__(self, tail: int) -> tuple[str, str, int]:
        """(letter, what is written for it, the tail behind it)."""
        return self._all[tail]

    def before(self, signs: Iterable[tuple[str, str]], tail: int) -> int:
        """The tail that says `signs`, (letter, written) each, and then `tail`."""
        for letter, written in reversed(tuple(signs)):
            key = (letter, written, tail)
            tail = self._numbers.setdefault(key, len(self._all))
            if tail == len(self._all):
                self._all.append(key)
        return tail
