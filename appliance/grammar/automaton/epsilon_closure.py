"""In: nodes of a graph. Out: all that can be said next from each, past the arcs that say nothing, 16 bytes a letter."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from appliance.grammar.automaton.graph import END, WILD, Arc, Graph
from appliance.grammar.automaton.interner import Interner

LETTER_BITS, COST_BITS = 21, 16
"""Sizes of a letter's number in Unicode, and of a cost in thousandths above -CHEAPEST."""
CHEAPEST = 8000
DEAREST = (1 << COST_BITS) - 1 - CHEAPEST
THOUSAND = 1000.0

Way = tuple[int, str]
"""What it costs to get somewhere, in thousandths, and what is written for it. The least counts: the cheapest, and of equally
cheap ones the first in the alphabet."""


class Step(NamedTuple):
    """Where a letter leads."""

    cost: int
    """Thousandths."""
    before: str
    """What is written on the way to the letter."""
    written: str
    """And for the letter itself."""
    node: int
    """The one behind it."""


class Closure(NamedTuple):
    """All that can be said next from a node."""

    arcs: array[int]
    """Two numbers an arc: (node behind it, cost) and (what is written before it and for it, letter)."""
    end: Way | None
    """The way to end here."""


class EpsilonClosures:
    """Of `graph`; those of nodes in the middle of a text or value, which are most, are not kept."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[int, Closure] = {}
        self._written: Interner[tuple[str, str]] = Interner()

    def onward(self, node: int, after_space: bool) -> Iterator[tuple[str, int, int]]:
        """(letter, node behind it, thousandths) of all that can be said next, within free-text slots too.

        A letter may lead to the same node twice.
        """
        if (text := self._graph.plain(node)) is not None:
            letter, _, target = text
            if _is_silent(letter, after_space):
                yield from self.onward(target, after_space)
            else:
                yield letter, target, 0
        elif (value := self._graph.value(node)) is not None:
            for letter, target in value.letters:
                yield letter, target, 0
            if value.written is not None:
                yield from self.onward(value.following, after_space)
        else:
            for place, sign in _pairs(self._of(node, after_space).arcs):
                yield chr(sign & _LETTER), place >> COST_BITS, (place & _COST) - CHEAPEST

    def steps(self, node: int, after_space: bool, letter: str) -> Iterator[Step]:
        """Wherever `letter` leads, within free-text slots too."""
        if (text := self._graph.plain(node)) is not None:
            sign, written, target = text
            if _is_silent(sign, after_space):
                yield from _behind(written, self.steps(target, after_space, letter))
            elif sign == letter:
                yield Step(0, "", written, target)
        elif (value := self._graph.value(node)) is not None:
            for sign, target in value.letters:
                if sign == letter:
                    yield Step(0, "", "", target)
            if value.written is not None:
                yield from _behind(value.written, self.steps(value.following, after_space, letter))
        else:
            wanted, wild = ord(letter), ord(WILD) if letter != " " else -1
            for place, number in _pairs(self._of(node, after_space).arcs):
                if (found := number & _LETTER) == wanted or found == wild:
                    before, written = self._written[number >> LETTER_BITS]
                    said = letter if found == wild else written
                    yield Step((place & _COST) - CHEAPEST, before, said, place >> COST_BITS)

    def end(self, node: int, after_space: bool = False) -> Way | None:
        """The way to end at `node`; a space that only an optional word would have followed counts for nothing."""
        if (text := self._graph.plain(node)) is not None:
            letter, written, target = text
            if letter not in ("", " "):
                return None
            return _joined((0, written), self.end(target, after_space or letter == " "))
        if (value := self._graph.value(node)) is not None:
            ends = [self.end(target, True) for letter, target in value.letters if letter == " "]
            if value.written is not None:
                ends.append(_joined((0, value.written), self.end(value.following, after_space)))
            return min((end for end in ends if end is not None), default=None)
        return self._of(node, after_space).end

    def _of(self, node: int, after_space: bool) -> Closure:
        key = node << 1 | after_space
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self._close(node, after_space)
        return known

    def _close(self, node: int, after_space: bool) -> Closure:
        """Follows arcs that say nothing from `node`; behind a space, further spaces say nothing."""
        silent: dict[int, Way] = {node: (0, "")}
        found: dict[tuple[str, int], tuple[int, str, str]] = {}
        waiting = [node]
        while waiting:
            cost, written = silent[at := waiting.pop()]
            for arc in self._graph.arcs(at):
                onward = cost + _thousandths(arc)
                if _is_silent(arc.letter, after_space):
                    if (way := (onward, written + arc.written)) < silent.get(arc.target, _TOO_DEAR):
                        silent[arc.target] = way
                        waiting.append(arc.target)
                elif (step := (onward, written, arc.written)) < found.get((arc.letter, arc.target), _TOO_DEAR):
                    found[arc.letter, arc.target] = step
        ends = [silent.get(END)]
        arcs = array("q")
        for (letter, target), (cost, before, written) in found.items():
            kept = min(max(cost + CHEAPEST, 0), _COST)
            texts = self._written.number((before, written))
            arcs.extend((target << COST_BITS | kept, texts << LETTER_BITS | ord(letter)))
            if letter == " ":
                ends.append(_joined((cost, before + written), self.end(target, True)))
        return Closure(arcs, min((end for end in ends if end is not None), default=None))


_TOO_DEAR = (DEAREST, "")
_LETTER, _COST = (1 << LETTER_BITS) - 1, (1 << COST_BITS) - 1


def _is_silent(letter: str, after_space: bool) -> bool:
    return letter == "" or (after_space and letter == " ")


def _joined(first: Way, then: Way | None) -> Way | None:
    return None if then is None else (first[0] + then[0], first[1] + then[1])


def _behind(written: str, steps: Iterator[Step]) -> Iterator[Step]:
    """`steps`, once `written` stands."""
    for step in steps:
        yield step._replace(before=written + step.before)


def _pairs(numbers: array[int]) -> Iterator[tuple[int, int]]:
    each = iter(numbers)
    return zip(each, each, strict=True)


def _thousandths(arc: Arc) -> int:
    return round(arc.cost * THOUSAND) if arc.cost else 0
