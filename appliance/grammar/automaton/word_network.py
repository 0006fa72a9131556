"""In: a grammar's letter states and the words a recogniser knows. Out: a bounded network of whole words.

This is the reduced form for recognisers that want all words beforehand. Free-text slots and unknown words are left out,
and with them the sentences that need them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.grammar.automaton.determinize import Walker

MOST_STATES = 4000
MOST_ARCS = 20_000
"""Bounds of the network: what lies farther from the start is cut off."""
MOST_LETTERS = 24
"""Longer words are left out."""


@dataclass(frozen=True, slots=True)
class WordArc:
    """From state to state by saying `word`, at a cost (natural log)."""

    source: int
    target: int
    word: str
    cost: float


@dataclass(frozen=True, slots=True)
class WordNetwork:
    """States are 0 … `states` - 1; a sentence leads from `start` to `final`. An arc with an empty word says nothing."""

    states: int
    start: int
    final: int
    arcs: tuple[WordArc, ...]
    whole: bool
    """False where bounds cut sentences off."""


def word_network(walker: Walker, known: Mapping[str, str]) -> WordNetwork:
    """The network of all sentences whose words are in `known` (letter form → the recogniser's own spelling)."""
    numbers = {0: 0}
    arcs: list[WordArc] = []
    ends: dict[int, float] = {}
    waiting = deque([0])
    whole = True
    while waiting:
        state = waiting.popleft()
        if (end := walker.final(state)) is not None and state != 0:
            ends[numbers[state]] = end
        for word, target, cost in _words(walker, state, known):
            if target not in numbers:
                if len(numbers) >= MOST_STATES:
                    whole = False
                    continue
                numbers[target] = len(numbers)
                waiting.append(target)
            if len(arcs) >= MOST_ARCS:
                whole = False
                break
            arcs.append(WordArc(numbers[state], numbers[target], known[word], cost))
    final = len(numbers)
    arcs += [WordArc(state, final, "", cost) for state, cost in ends.items()]
    return WordNetwork(final + 1, 0, final, tuple(_useful(arcs, final)), whole)


def _words(walker: Walker, state: int, known: Mapping[str, str]) -> Iterator[tuple[str, int, float]]:
    """Words that may follow `state`: (letters, state behind the word, cost)."""
    if (trigger := walker.step(state, " ")) is None:
        return
    waiting = [("", trigger.state, trigger.cost)]
    while waiting:
        letters, at, cost = waiting.pop()
        if letters in known and (walker.final(at) is not None or walker.step(at, " ") is not None):
            yield letters, at, cost
        if len(letters) < MOST_LETTERS:
            waiting.extend(
                (letters + letter, step.state, cost + step.cost)
                for letter in walker.letters(at) - {" "}
                if (step := walker.step(at, letter)) is not None
            )


def _useful(arcs: list[WordArc], final: int) -> list[WordArc]:
    """Arcs from which a sentence's end can be reached."""
    before: dict[int, list[int]] = {}
    for arc in arcs:
        before.setdefault(arc.target, []).append(arc.source)
    alive, waiting = {final}, [final]
    while waiting:
        for source in before.get(waiting.pop(), ()):
            if source not in alive:
                alive.add(source)
                waiting.append(source)
    return [arc for arc in arcs if arc.target in alive]
