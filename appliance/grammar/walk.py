"""In: a graph of letters. Out: its determinised states, made on demand: what may be said after what was said.

A state is the set of graph nodes that the same letters lead to, each with its cost above the cheapest; so one text is
one state, however many sentences begin with it. Free-text slots are kept apart (a `Wild` state accepts any word), because
mixed in they would make every text a state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from appliance.grammar.graph import END, WILD, Graph

MOST_COST = 12.0
"""Natural log: readings this much dearer than the cheapest of the same text are dropped."""

MOST_FRONTIERS = 400
"""Beginnings of texts that are remembered; some 20 kB each at the start of a sentence, 2 kB at its end."""

Costs = tuple[tuple[int, float], ...]
"""(node, cost above the cheapest), sorted."""


class Step(NamedTuple):
    """Where a letter leads, and what it costs."""

    state: int
    cost: float


class _Closure(NamedTuple):
    """All that can be said next from a node: letter → ((target, cost), …), and the cost of ending here."""

    letters: dict[str, tuple[tuple[int, float], ...]]
    final: float | None


@dataclass(slots=True)
class _State:
    nodes: Costs
    after_space: bool
    """A word has just ended: more spaces count for nothing, and a free-text slot may begin."""
    wild: bool
    """In a free-text slot; `nodes` are the slots' ends."""
    steps: dict[str, Step | None]


class Walker:
    """Lazily made states over `graph`. State 0 is the start. Not thread-safe."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._closures: dict[tuple[int, bool], _Closure] = {}
        self._states: list[_State] = []
        self._numbers: dict[tuple[Costs, bool, bool], int] = {}
        self._finals: dict[int, float | None] = {}
        self._extendable: dict[int, bool] = {}
        self._entries: dict[int, Step | None] = {}
        self._frontiers: dict[str, _Frontier] = {}
        self._exits: dict[int, Step] = {}
        self._number(((graph.start, 0.0),), False, False)

    def __len__(self) -> int:
        return len(self._states)

    def step(self, state: int, letter: str) -> Step | None:
        """Where `letter` leads within the grammar's own words; None: it cannot be said. Free text: see `wild_entry`."""
        steps = self._states[state].steps
        if letter not in steps:
            steps[letter] = self._step(state, letter)
        return steps[letter]

    def letters(self, state: int) -> set[str]:
        """Letters (and the space) that may follow within the grammar's own words."""
        known = self._states[state]
        found: set[str] = set()
        for node, _ in known.nodes:
            found.update(self._closure(node, known.after_space).letters)
        return found - {WILD}

    def final(self, state: int) -> float | None:
        """What it costs to end here; None where the sentence cannot end."""
        if state not in self._finals:
            if self.is_wild(state):
                step = self.wild_exit(state)
                end = self.final(step.state)
                self._finals[state] = None if end is None else end + step.cost
            else:
                ends = [(self._closure(node, False).final, cost) for node, cost in self._states[state].nodes]
                self._finals[state] = min((end + cost for end, cost in ends if end is not None), default=None)
        return self._finals[state]

    def extendable(self, state: int) -> bool:
        """Whether more than a polite word may follow."""
        if state not in self._extendable:
            nodes = self._states[state].nodes
            self._extendable[state] = self.is_wild(state) or any(self._goes_on(node) for node, _ in nodes)
        return self._extendable[state]

    def is_wild(self, state: int) -> bool:
        """Whether `state` is inside a free-text slot: any word may follow."""
        return self._states[state].wild

    def after_space(self, state: int) -> bool:
        """Whether a word has just ended, its space included."""
        return self._states[state].after_space

    def wild_entry(self, state: int) -> Step | None:
        """The free-text state that a new word may open here; None where none begins."""
        if state not in self._entries:
            self._entries[state] = self._wild_entry(state)
        return self._entries[state]

    def wild_exit(self, state: int) -> Step:
        """The state of the grammar's own words behind a free-text slot."""
        if state not in self._exits:
            self._exits[state] = self._settle(dict(self._states[state].nodes), False, False)
        return self._exits[state]

    def accepts(self, text: str) -> bool:
        """Whether `text`, in letter form, is a whole sentence."""
        return self.write(text) is not None

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
        while known and said[:known] not in self._frontiers:
            known -= 1
        if len(self._frontiers) > MOST_FRONTIERS:
            self._frontiers.clear()
            known = 0
        if not known:
            self._frontiers[""] = self._spread({(self.graph.start, False): (0.0, "")})
        frontier = self._frontiers[said[:known]]
        for at in range(known, len(said)):
            frontier = self._spread(self._advance(frontier, said[at]))
            self._frontiers[said[: at + 1]] = frontier
        return frontier

    def _advance(self, frontier: _Frontier, letter: str) -> _Frontier:
        found: _Frontier = {}
        for (node, _), (cost, written) in frontier.items():
            for arc in self.graph.arcs(node):
                if arc.letter == letter or (arc.letter == WILD and letter != " "):
                    text = letter if arc.letter == WILD else arc.written
                    _offer(found, (arc.target, letter == " "), (cost + arc.cost, written + text))
        return found

    def _spread(self, frontier: _Frontier) -> _Frontier:
        """Follows arcs that say nothing; spaces too, right behind a space and (for free) at a sentence's end."""
        waiting = list(frontier)
        while waiting:
            node, spaced = waiting.pop()
            cost, written = frontier[node, spaced]
            for arc in self.graph.arcs(node):
                if arc.letter == "" or (arc.letter == " " and (spaced or self._only_ends(arc.target))):
                    place = (arc.target, spaced)
                    if _offer(frontier, place, (cost + arc.cost, written + arc.written)):
                        waiting.append(place)
        return frontier

    def _only_ends(self, node: int) -> bool:
        return self._closure(node, True).final is not None

    def _step(self, state: int, letter: str) -> Step | None:
        known = self._states[state]
        if known.wild:
            step = self.wild_exit(state)
            onward = self.step(step.state, letter)
            return None if onward is None else Step(onward.state, onward.cost + step.cost)
        if known.after_space and letter == " ":
            return None
        reached: dict[int, float] = {}
        for node, cost in known.nodes:
            for target, more in self._closure(node, known.after_space).letters.get(letter, ()):
                if cost + more < reached.get(target, 1e9):
                    reached[target] = cost + more
        return self._settle(reached, letter == " ", False) if reached else None

    def _wild_entry(self, state: int) -> Step | None:
        """Slots that begin with the next word."""
        known = self._states[state]
        if known.wild:
            return Step(state, 0.0)
        if not known.after_space:
            after = self.step(state, " ")
            entry = self.wild_entry(after.state) if after else None
            return Step(entry.state, entry.cost + after.cost) if entry and after else None
        ends: dict[int, float] = {}
        for node, cost in known.nodes:
            for target, more in self._closure(node, True).letters.get(WILD, ()):
                end = self.graph.wild_end(target)
                ends[end] = min(cost + more, ends.get(end, 1e9))
        return self._settle(ends, False, True) if ends else None

    def _settle(self, reached: dict[int, float], after_space: bool, wild: bool) -> Step:
        least = min(reached.values())
        nodes = sorted((node, round(cost - least, 3)) for node, cost in reached.items() if cost - least <= MOST_COST)
        return Step(self._number(tuple(nodes), after_space, wild), least)

    def _number(self, nodes: Costs, after_space: bool, wild: bool) -> int:
        key = (nodes, after_space, wild)
        number = self._numbers.setdefault(key, len(self._states))
        if number == len(self._states):
            self._states.append(_State(nodes, after_space, wild, {}))
        return number

    def _goes_on(self, node: int) -> bool:
        """Whether some word of the sentence itself may follow `node`."""
        seen, waiting = {node, END}, [node] if node != END else []
        while waiting:
            for arc in self.graph.arcs(waiting.pop()):
                if arc.letter not in ("", " "):
                    return True
                if arc.target not in seen:
                    seen.add(arc.target)
                    waiting.append(arc.target)
        return False

    def _closure(self, node: int, after_space: bool) -> _Closure:
        if (known := self._closures.get((node, after_space))) is None:
            known = self._closures[node, after_space] = self._close(node, after_space)
        return known

    def _close(self, node: int, after_space: bool) -> _Closure:
        """Follows arcs that say nothing from `node`; behind a space, further spaces say nothing."""
        costs, waiting = {node: 0.0}, [node]
        letters: dict[str, dict[int, float]] = {}
        while waiting:
            at = waiting.pop()
            for arc in self.graph.arcs(at):
                cost = costs[at] + arc.cost
                if arc.letter == "" or (after_space and arc.letter == " "):
                    if cost < costs.get(arc.target, 1e9):
                        costs[arc.target] = cost
                        waiting.append(arc.target)
                else:
                    targets = letters.setdefault(arc.letter, {})
                    targets[arc.target] = min(cost, targets.get(arc.target, 1e9))
        final = self._end_cost(costs, letters.get(" ", {}))
        return _Closure({letter: tuple(targets.items()) for letter, targets in letters.items()}, final)

    def _end_cost(self, costs: dict[int, float], spaced: dict[int, float]) -> float | None:
        """Of ending here: a space that only an optional word would have followed counts for nothing."""
        ends = [costs[END]] if END in costs else []
        for target, cost in spaced.items():
            if (end := self._closure(target, True).final) is not None:
                ends.append(cost + end)
        return min(ends, default=None)


_Frontier = dict[tuple[int, bool], tuple[float, str]]


def _offer(found: _Frontier, place: tuple[int, bool], reached: tuple[float, str]) -> bool:
    if place in found and found[place] <= reached:
        return False
    found[place] = reached
    return True
