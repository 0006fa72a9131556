"""In: what is said, in letter form. Out: how that is written in its template, which is what the text side reads."""

from __future__ import annotations

from appliance.grammar.automaton.epsilon_closure import EpsilonClosures, Way
from appliance.grammar.automaton.graph import Graph

MOST_REMEMBERED = 4_000
"""Places in beginnings of texts that are remembered, some 250 bytes each."""


class Writer:
    """Writes sentences of `graph`."""

    def __init__(self, graph: Graph, closures: EpsilonClosures) -> None:
        self._graph = graph
        self._closures = closures
        self._forget()

    def write(self, text: str, *, whole: bool = True) -> str | None:
        """How what is said as `text` (letter form) is written in its template; None where it is no sentence.

        With `whole` false the beginning of a sentence will do: going on without a sound only costs and writes more.
        """
        said = f" {text}" if text else ""
        ways = list(self._reached(said).items())
        written = [
            (cost + end[0], written + end[1]) if whole else (cost, written)
            for node, (cost, written) in ways
            if (end := self._closures.end(node, said.endswith(" ")) if whole else (0, "")) is not None
        ]
        return " ".join(min(written)[1].split()) if written else None

    def _reached(self, said: str) -> _Frontier:
        """Where `said` leads; beginnings are remembered, since partial texts grow letter by letter."""
        if self._remembered > MOST_REMEMBERED:
            self._forget()
        known = len(said)
        while said[:known] not in self._beginnings:
            known -= 1
        frontier = self._beginnings[said[:known]]
        for at in range(known, len(said)):
            frontier = self._advance(frontier, at > 0 and said[at - 1] == " ", said[at])
            self._beginnings[said[: at + 1]] = frontier
            self._remembered += len(frontier)
        return frontier

    def _forget(self) -> None:
        self._beginnings: dict[str, _Frontier] = {"": {self._graph.start: (0, "")}}
        self._remembered = 1

    def _advance(self, frontier: _Frontier, after_space: bool, letter: str) -> _Frontier:
        """Ways that meet ahead of the letter are compared there: nothing comes before an apostrophe."""
        found: dict[int, tuple[int, str, str]] = {}
        for node, (cost, written) in frontier.items():
            for step in self._closures.steps(node, after_space, letter):
                before = written + step.before
                way = (cost + step.cost, before, before + step.written)
                if step.node not in found or way < found[step.node]:
                    found[step.node] = way
        return {node: (cost, written) for node, (cost, _, written) in found.items()}


_Frontier = dict[int, Way]
"""Nodes behind what was said, and the way to each."""
