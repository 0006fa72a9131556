"""In: a graph of letters. Out: its determinised states, made on demand: what may be said after what was said.

A state is the set of graph nodes that the same letters lead to, each with its cost above the cheapest; so one text is
one state, however many sentences begin with it. Free-text slots are kept apart (a `Wild` state accepts any word), because
mixed in they would make every text a state of its own.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from appliance.grammar.automaton.ahead import MANY_SLOTS, SlotsAhead
from appliance.grammar.automaton.epsilon_closure import COST_BITS, DEAREST, LETTER_BITS, THOUSAND, EpsilonClosures
from appliance.grammar.automaton.graph import END, WILD, Graph
from appliance.grammar.automaton.writing import Writer

MOST_COST = 12.0
"""Natural log: readings this much dearer than the cheapest of the same text are dropped."""


class Step(NamedTuple):
    """Where a letter leads, and what it costs."""

    state: int
    cost: float


_PLAIN, _SPACED, _WILD = b"-", b" ", b"*"
"""Kinds of states. _SPACED: a word has just ended: more spaces count for nothing, and a free-text slot may begin. _WILD: in
a free-text slot, the nodes are the slots' ends."""


class Walker:
    """Lazily made states over `graph`. State 0 is the start. Not thread-safe.

    A state is the text of its kind and its nodes, each with its cost above the cheapest (thousandths), eight bytes a node.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._closures = EpsilonClosures(graph)
        self._writer = Writer(graph, self._closures)
        self._states: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._letters: dict[int, frozenset[str]] = {}
        self._letter_sets: dict[frozenset[str], frozenset[str]] = {}
        self._steps: dict[int, int | Step] = {}
        self._finals: dict[int, float | None] = {}
        self._extendable: dict[int, bool] = {}
        self._ahead = SlotsAhead(graph)
        self._entries: dict[int, Step | None] = {}
        self._exits: dict[int, Step] = {}
        self._settle({graph.start: 0}, _PLAIN)

    def __len__(self) -> int:
        return len(self._states)

    def step(self, state: int, letter: str) -> Step | None:
        """Where `letter` leads within the grammar's own words; None: it cannot be said. Free text: see `wild_entry`."""
        return next((step for _, step in self.steps(state, (letter,))), None)

    def steps(self, state: int, wanted: Iterable[str]) -> list[tuple[str, Step]]:
        """Where each of the `wanted` letters leads; those that cannot be said are left out."""
        if self._states[state].startswith(_WILD):
            return self._steps_behind_wild(state, wanted)
        can = self._letters_of(state)
        found = []
        missing = []
        for letter in wanted:
            if letter in can:
                if (step := self._steps.get(state << LETTER_BITS | ord(letter))) is None:
                    missing.append(letter)
                else:
                    found.append((letter, Step(step, 0.0) if isinstance(step, int) else step))
        if missing:
            found += self._make(state, missing)
        return found

    def letters(self, state: int) -> set[str]:
        """Letters (and the space) that may follow within the grammar's own words."""
        return set(self._letters_of(state))

    def final(self, state: int) -> float | None:
        """What it costs to end here; None where the sentence cannot end."""
        if state not in self._finals:
            if self.is_wild(state):
                step = self.wild_exit(state)
                end = self.final(step.state)
                self._finals[state] = None if end is None else end + step.cost
            else:
                ends = [(self._closures.end(node), cost) for node, cost in self._nodes(state)]
                least = min((end[0] + cost for end, cost in ends if end is not None), default=None)
                self._finals[state] = None if least is None else least / THOUSAND
        return self._finals[state]

    def extendable(self, state: int) -> bool:
        """Whether more than a polite word may follow."""
        if state not in self._extendable:
            self._extendable[state] = self.is_wild(state) or any(self._goes_on(node) for node, _ in self._nodes(state))
        return self._extendable[state]

    def slots_ahead(self, state: int) -> int:
        """How many slots the sentence may still take, at most MANY_SLOTS; in free text nobody knows."""
        return MANY_SLOTS if self.is_wild(state) else max(self._ahead.of(node) for node, _ in self._nodes(state))

    def is_wild(self, state: int) -> bool:
        """Whether `state` is inside a free-text slot: any word may follow."""
        return self._states[state].startswith(_WILD)

    def after_space(self, state: int) -> bool:
        """Whether a word has just ended, its space included."""
        return self._states[state].startswith(_SPACED)

    def wild_entry(self, state: int) -> Step | None:
        """The free-text state that a new word may open here; None where none begins."""
        if state not in self._entries:
            self._entries[state] = self._wild_entry(state)
        return self._entries[state]

    def wild_exit(self, state: int) -> Step:
        """The state of the grammar's own words behind a free-text slot."""
        if state not in self._exits:
            self._exits[state] = self._settle(dict(self._nodes(state)), _PLAIN)
        return self._exits[state]

    def accepts(self, text: str) -> bool:
        """Whether `text`, in letter form, is a whole sentence."""
        return self.write(text) is not None

    def write(self, text: str, *, whole: bool = True) -> str | None:
        """How what is said as `text` (letter form) is written in its template; None where it is no sentence.

        With `whole` false the beginning of a sentence will do.
        """
        return self._writer.write(text, whole=whole)

    def _nodes(self, state: int) -> Iterator[tuple[int, int]]:
        """(node, cost in thousandths), by node."""
        packed = array("q")
        packed.frombytes(self._states[state][1:])
        return ((each >> COST_BITS, each & (1 << COST_BITS) - 1) for each in packed)

    def _onward(self, state: int) -> Iterator[tuple[str, int, int]]:
        """(letter, node behind it, cost): all that can be said next, within free-text slots too."""
        spaced = self.after_space(state)
        for node, cost in self._nodes(state):
            for letter, target, more in self._closures.onward(node, spaced):
                yield letter, target, cost + more

    def _letters_of(self, state: int) -> frozenset[str]:
        if (known := self._letters.get(state)) is None:
            found = frozenset(letter for letter, _, _ in self._onward(state)) - {WILD}
            known = self._letters[state] = self._letter_sets.setdefault(found, found)
        return known

    def _make(self, state: int, letters: Container[str]) -> list[tuple[str, Step]]:
        """Steps by `letters`, and remembers them."""
        reached: dict[str, dict[int, int]] = {}
        for letter, target, cost in self._onward(state):
            if letter in letters:
                targets = reached.setdefault(letter, {})
                if cost < targets.get(target, DEAREST):
                    targets[target] = cost
        made = []
        for letter, targets in reached.items():
            step = self._settle(targets, _SPACED if letter == " " else _PLAIN)
            self._steps[state << LETTER_BITS | ord(letter)] = step if step.cost else step.state
            made.append((letter, step))
        return made

    def _steps_behind_wild(self, state: int, wanted: Iterable[str]) -> list[tuple[str, Step]]:
        exit_ = self.wild_exit(state)
        return [(letter, Step(step.state, step.cost + exit_.cost)) for letter, step in self.steps(exit_.state, wanted)]

    def _wild_entry(self, state: int) -> Step | None:
        """Slots that begin with the next word."""
        if self.is_wild(state):
            return Step(state, 0.0)
        if not self.after_space(state):
            after = self.step(state, " ")
            entry = self.wild_entry(after.state) if after else None
            return Step(entry.state, entry.cost + after.cost) if entry and after else None
        ends: dict[int, int] = {}
        for letter, target, cost in self._onward(state):
            if letter == WILD:
                end = self.graph.wild_end(target)
                ends[end] = min(cost, ends.get(end, DEAREST))
        return self._settle(ends, _WILD) if ends else None

    def _settle(self, reached: dict[int, int], kind: bytes) -> Step:
        """The state of `reached` (node → thousandths), and what of the cost all have in common."""
        least = min(reached.values())
        most = least + int(MOST_COST * THOUSAND)
        packed = sorted(node << COST_BITS | cost - least for node, cost in reached.items() if cost <= most)
        key = kind + array("q", packed).tobytes()
        state = self._numbers.setdefault(key, len(self._states))
        if state == len(self._states):
            self._states.append(key)
        return Step(state, least / THOUSAND)

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
