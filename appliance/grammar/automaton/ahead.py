"""In: nodes of a graph. Out: how many slots a sentence may still take behind them."""

from __future__ import annotations

from appliance.grammar.automaton.graph import END, Graph

MANY_SLOTS = 2
"""Slots are counted up to this: behind two or more, people take their time alike."""


class SlotsAhead:
    """Of `graph`. Counts a node once; what is spelled and the values of lists are stepped over, not walked."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known = {END: 0}

    def of(self, node: int) -> int:
        """Most slots that a way from `node` to the sentence's end can begin, at most MANY_SLOTS."""
        if (following := self._graph.following(node)) is not None:
            return min(self._graph.opens_value(node) + self.of(following), MANY_SLOTS)
        if (known := self._known.get(node)) is None:
            known = self._known[node] = min(self._count(node), MANY_SLOTS)
        return known

    def _count(self, node: int) -> int:
        match self._graph.definition(node):
            case ("wild", inside, following):
                return (not inside) + self.of(following)
        return max((self.of(arc.target) for arc in self._graph.arcs(node)), default=0)
