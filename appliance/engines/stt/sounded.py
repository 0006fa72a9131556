"""In: a grammar spelled in sounds and a model of another language. Out: which of its pieces may follow in each state.

A piece goes on through as many sounds as its letters stand for, in every way that the accent knows; its cost is that of the
cheapest. So the search needs no state of its own for spellings: there are as few as there are sounds in the grammar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from appliance.engines.stt.accent import Accent
from appliance.engines.stt.confidence import BORROWED
from appliance.engines.stt.pieces import PieceStates, PieceTrie, Vocabulary
from appliance.grammar.automaton.determinize import Walker

MOST_COST = 4.0
"""Natural log: ways of one piece dearer than this are left out; at 7 no more commands were right."""
MOST_UNWRITTEN = 2
"""Sounds that nothing is written for, in a row."""


class SoundStates(PieceStates):
    """The states of `walker`, whose letters are sounds. Free-text slots are never entered."""

    weights = BORROWED

    def __init__(self, walker: Walker, vocabulary: Vocabulary, accent: Accent) -> None:
        self._accent = accent
        self._finals: dict[int, tuple[float, str] | None] = {}
        super().__init__(walker, vocabulary)

    def final(self, state: int) -> float | None:
        """What it costs to end here; sounds at the end may stay unwritten."""
        end = self._end(state)
        return None if end is None else end[0]

    def heard(self, pieces: Sequence[int], state: int, *, whole: bool) -> str:
        """The cheapest sounds that lead to `state` by `pieces`; with `whole`, to the end of the sentence."""
        ways: dict[int, tuple[float, str]] = {0: (0.0, "")}
        for piece in pieces:
            if not self.vocabulary.is_silent[piece]:
                ways = self._onward(ways, piece)
        said = ways.get(state, (0.0, ""))[1]
        end = self._end(state) if whole else None
        return " ".join((said + (end[1] if end else "")).split())

    def _clear(self, walker: Walker) -> None:
        super()._clear(walker)
        self._finals.clear()

    def _make(self, state: int) -> None:
        found = {(piece, state): 0.0 for piece in self.vocabulary.silent}
        for piece, target, cost, _ in self._reached_by(self.vocabulary.root, state):
            if cost < found.get((piece, target), MOST_COST):
                found[piece, target] = cost
        self.start[state], self.count[state] = self._pieces.used, len(found)
        self._pieces.append([piece for piece, _ in found])
        self._targets.append([target for _, target in found])
        self._costs.append(list(found.values()))

    def _onward(self, ways: dict[int, tuple[float, str]], piece: int) -> dict[int, tuple[float, str]]:
        found: dict[int, tuple[float, str]] = {}
        for state, (before, said) in ways.items():
            for _, target, cost, sounds in self._reached_by(self.vocabulary.alone(piece), state):
                if target not in found or before + cost < found[target][0]:
                    found[target] = (before + cost, said + sounds)
        return found

    def _reached_by(self, root: PieceTrie, state: int) -> Iterator[tuple[int, int, float, str]]:
        """(piece, state behind it, cost, sounds) of the pieces under `root`, those within MOST_COST."""
        accent, steps = self._accent, self.walker.steps
        waiting = [(root, state, 0.0, 0, "")]
        least: dict[tuple[int, int, int], float] = {}
        while waiting:
            node, at, cost, unwritten, said = waiting.pop()
            for sound, step in steps(at, accent.ways):
                for letters, more in accent.ways[sound]:
                    onward = cost + step.cost + more
                    behind = _down(node, letters)
                    count = 0 if letters else unwritten + 1
                    if behind is None or onward > MOST_COST or count > MOST_UNWRITTEN:
                        continue
                    if letters:
                        for piece in behind.pieces:
                            yield piece, step.state, onward, said + sound
                    place = (id(behind), step.state, count)
                    if behind.children and onward < least.get(place, NEVER):
                        least[place] = onward
                        waiting.append((behind, step.state, onward, count, said + sound))

    def _end(self, state: int) -> tuple[float, str] | None:
        if state not in self._finals:
            self._finals[state] = min(self._ends(state), default=None)
        return self._finals[state]

    def _ends(self, state: int) -> Iterator[tuple[float, str]]:
        """Ways to the sentence's end without another piece: (cost, sounds)."""
        waiting = [(state, 0.0, "")]
        while waiting:
            at, cost, said = waiting.pop()
            if (end := self.walker.final(at)) is not None:
                yield cost + end, said
            if len(said) < MOST_UNWRITTEN:
                for sound, step in self.walker.steps(at, self._accent.ways):
                    for letters, more in self._accent.ways[sound]:
                        if not letters:
                            waiting.append((step.state, cost + step.cost + more, said + sound))


NEVER = float("inf")


def _down(node: PieceTrie, letters: str) -> PieceTrie | None:
    """The node behind `letters`."""
    at: PieceTrie | None = node
    for letter in letters:
        at = at.children.get(letter) if at is not None else None
    return at
