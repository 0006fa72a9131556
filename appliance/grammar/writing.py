"""In: what is said, in letter form. Out: how that is written in its template, which is what the text side reads."""

from __future__ import annotations

from appliance.grammar.closures import Closures
from appliance.grammar.graph import END, WILD, Graph

MOST_REMEMBERED = 20_000
"""Places in beginnings of texts that are remembered, some 200 bytes each."""


class Writer:
    """Writes sentences of `graph`."""

    def __init__(self, graph: Graph, closures: Closures) -> None:
        self._graph = graph
        self._closures = closures
        self._beginnings: dict[str, _Frontier] = {}
        self._remembered = 0

    def write(self, text: str, *, whole: bool = True) -> str | None:
        """How what is said as `text` (letter form) is written in its template; None where it is no sentence.

        With `whole` false the beginning of a sentence will do.
        """
        ends = [
            each for (node, _), each in self._reached(f" {text}" if text else "").items() if node == END or not whole
        ]
        return " ".join(min(ends)[1].split()) if ends else None

    def _reached(self, said: str) -> _Frontier:
        """Where `said` leads; beginnings are remembered, since partial texts grow letter by letter."""
        known = len(said)
        while known and said[:known] not in self._beginnings:
            known -= 1
        if self._remembered > MOST_REMEMBERED:
            self._beginnings.clear()
            known = self._remembered = 0
        if not known:
            self._beginnings[""] = self._spread({(self._graph.start, False): (0.0, "")})
        frontier = self._beginnings[said[:known]]
        for at in range(known, len(said)):
            frontier = self._beginnings[said[: at + 1]] = self._spread(self._advance(frontier, said[at]))
            self._remembered += len(frontier)
        return frontier

    def _advance(self, frontier: _Frontier, letter: str) -> _Frontier:
        found: _Frontier = {}
        for (node, _), (cost, written) in frontier.items():
            if (plain := self._graph.plain(node)) is not None:  # most are
                if plain[0] == letter:
                    _offer(found, (plain[2], letter == " "), (cost, written + plain[1]))
                continue
            for arc in self._graph.arcs(node):
                if arc.letter == letter or (arc.letter == WILD and letter != " "):
                    text = letter if arc.letter == WILD else arc.written
                    _offer(found, (arc.target, letter == " "), (cost + arc.cost, written + text))
        return found

    def _spread(self, frontier: _Frontier) -> _Frontier:
        """Follows arcs that say nothing; spaces too, right behind a space and (for free) at a sentence's end."""
        waiting = list(frontier)
        while waiting:
            node, spaced = waiting.pop()
            plain = self._graph.plain(node)
            if plain is not None and plain[0] not in ("", " "):
                continue
            cost, written = frontier[node, spaced]
            for arc in self._graph.arcs(node):
                if arc.letter == "" or (arc.letter == " " and (spaced or self._closures.only_ends(arc.target))):
                    place = (arc.target, spaced)
                    if _offer(frontier, place, (cost + arc.cost, written + arc.written)):
                        waiting.append(place)
        return frontier


_Frontier = dict[tuple[int, bool], tuple[float, str]]


def _offer(found: _Frontier, place: tuple[int, bool], reached: tuple[float, str]) -> bool:
    if place in found and found[place] <= reached:
        return False
    found[place] = reached
    return True
