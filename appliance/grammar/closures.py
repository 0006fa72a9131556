"""In: nodes of a graph. Out: all that can be said next from each, past the arcs that say nothing, eight bytes a letter."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from appliance.grammar.graph import END, Arc, Graph

LETTER_BITS, COST_BITS = 21, 16
"""Sizes of a letter's number in Unicode, and of a cost in thousandths above -CHEAPEST."""
CHEAPEST = 8000
DEAREST = (1 << COST_BITS) - 1 - CHEAPEST
THOUSAND = 1000.0


class Closure(NamedTuple):
    """All that can be said next from a node."""

    arcs: array[int]
    """(target, cost, letter) each in one number."""
    final: int | None
    """Thousandths that it costs to end here."""


class Closures:
    """Of `graph`; those of nodes in the middle of a text, which are most, are not kept."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[int, Closure] = {}

    def onward(self, node: int, after_space: bool) -> Iterator[tuple[str, int, int]]:
        """(letter, node behind it, thousandths) of all that can be said next, within free-text slots too."""
        if (plain := self._plain(node, after_space)) is not None:
            yield *plain, 0
            return
        for arc in self.of(node, after_space).arcs:
            cost = (arc >> LETTER_BITS & (1 << COST_BITS) - 1) - CHEAPEST
            yield chr(arc & (1 << LETTER_BITS) - 1), arc >> LETTER_BITS + COST_BITS, cost

    def end(self, node: int) -> int | None:
        """Thousandths that it costs to end at `node`."""
        plain = self._plain(node, False)
        return None if plain is not None and plain[0] != " " else self.of(node, False).final

    def only_ends(self, node: int) -> bool:
        """Whether the sentence may end at `node`, behind a space."""
        return self.of(node, True).final is not None

    def _plain(self, node: int, spaced: bool) -> tuple[str, int] | None:
        """(letter, node behind it) where that is all that `node` says."""
        plain = self._graph.plain(node)
        return (plain[0], plain[2]) if plain is not None and plain[0] and not (spaced and plain[0] == " ") else None

    def of(self, node: int, after_space: bool) -> Closure:
        key = node << 1 | after_space
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self._close(node, after_space)
        return known

    def _close(self, node: int, after_space: bool) -> Closure:
        """Follows arcs that say nothing from `node`; behind a space, further spaces say nothing."""
        costs, waiting = {node: 0}, [node]
        found: dict[tuple[str, int], int] = {}
        while waiting:
            at = waiting.pop()
            for arc in self._graph.arcs(at):
                cost = costs[at] + _thousandths(arc)
                if arc.letter == "" or (after_space and arc.letter == " "):
                    if cost < costs.get(arc.target, DEAREST):
                        costs[arc.target] = cost
                        waiting.append(arc.target)
                elif cost < found.get((arc.letter, arc.target), DEAREST):
                    found[arc.letter, arc.target] = cost
        spaced = {target: cost for (letter, target), cost in found.items() if letter == " "}
        return Closure(
            array("q", (_packed(letter, target, cost) for (letter, target), cost in found.items())),
            self._end_cost(costs, spaced),
        )

    def _end_cost(self, costs: dict[int, int], spaced: dict[int, int]) -> int | None:
        """Of ending here: a space that only an optional word would have followed counts for nothing."""
        ends = [costs[END]] if END in costs else []
        for target, cost in spaced.items():
            if (end := self.of(target, True).final) is not None:
                ends.append(cost + end)
        return min(ends, default=None)


def _thousandths(arc: Arc) -> int:
    return round(arc.cost * THOUSAND) if arc.cost else 0


def _packed(letter: str, target: int, cost: int) -> int:
    kept = min(max(cost + CHEAPEST, 0), (1 << COST_BITS) - 1)
    return (target << COST_BITS | kept) << LETTER_BITS | ord(letter)
