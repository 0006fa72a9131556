"""In: a grammar's letter states and a model's pieces. Out: which pieces may follow in each state, as arrays.

All segmentations of a text into pieces are allowed: a trie of the pieces is walked in step with the grammar. Rows are made
when a hypothesis first reaches the state, and stay; they hang one behind the other in pools, so that the search gathers
the pieces of hundreds of hypotheses in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.confidence import OWN
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.lexicon.spoken import APOSTROPHES

WORD_MARK = "\u2581"
WILD_WORD_COST = 4.0
"""Natural log, for each word of a free-text slot."""
WILD_PIECE_COST = 2.0
"""Natural log, for each further piece of such a word."""
NOWHERE = -1


def letter_form(piece: str) -> str | None:
    """The letters of a piece, a space where a word begins; None for marks, signs and figures, which are never said."""
    if piece.startswith("<") and piece.endswith(">"):
        return None
    text = piece.replace(WORD_MARK, " ").casefold()
    kept = "".join(c for c in text if c not in APOSTROPHES)
    return kept if all(c == " " or c.isalpha() for c in kept) else None


@dataclass(slots=True)
class PieceTrie:
    """A node of the trie of pieces."""

    children: dict[str, PieceTrie] = field(default_factory=dict)
    pieces: list[int] = field(default_factory=list)


class Pool:
    """A growing array."""

    def __init__(self, dtype: type[np.generic], size: int = 4096) -> None:
        self.values: NDArray[np.generic] = np.zeros(size, dtype)
        self.used = 0

    def append(self, more: Sequence[float]) -> None:
        while self.used + len(more) > len(self.values):
            self.values = np.concatenate([self.values, np.zeros_like(self.values)])
        self.values[self.used : self.used + len(more)] = more
        self.used += len(more)


class Vocabulary:
    """A model's pieces as the search needs them."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.texts = [letter_form(piece) for piece in pieces]
        self.root = PieceTrie()
        self._alone: dict[int, PieceTrie] = {}
        self.silent = [at for at, text in enumerate(self.texts) if text == ""]
        """Pieces that are apostrophes only: said or not, the word is the same."""
        self.opens_word = np.array([bool(text) and text[0] == " " and len(text) > 1 for text in self.texts])  # type: ignore[index,arg-type]
        self.inside_word = np.array([bool(text) and " " not in text for text in self.texts])  # type: ignore[operator]
        self.is_silent = np.array([text == "" for text in self.texts])
        for at, text in enumerate(self.texts):
            if text:
                node = self.root
                for letter in text:
                    node = node.children.setdefault(letter, PieceTrie())
                node.pieces.append(at)

    def alone(self, piece: int) -> PieceTrie:
        """A trie of this piece only."""
        if piece not in self._alone:
            node = self._alone[piece] = PieceTrie()
            for letter in self.texts[piece] or "":
                node = node.children.setdefault(letter, PieceTrie())
            node.pieces.append(piece)
        return self._alone[piece]

    def text(self, pieces: Sequence[int]) -> str:
        """Letter form of a sequence of pieces."""
        return " ".join("".join(self.texts[piece] or "" for piece in pieces).split())


class PieceStates:
    """The states of `walker`, with the pieces that may follow each."""

    weights = OWN
    """Of the confidence in what is read."""

    def __init__(self, walker: Walker, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.opens_word, self.inside_word = vocabulary.opens_word, vocabulary.inside_word
        self.wild_inside_cost = WILD_PIECE_COST
        self._clear(walker)

    def _clear(self, walker: Walker) -> None:
        self.walker = walker
        self._pieces = Pool(np.int16)
        self._targets = Pool(np.int32)
        self._costs = Pool(np.float32)
        size = 4096
        self.start = np.full(size, NOWHERE, np.int64)
        self.count = np.zeros(size, np.int64)
        self.wild_word = np.full(size, NOWHERE, np.int64)
        self.wild_word_cost = np.zeros(size, np.float32)
        self.wild_inside = np.full(size, NOWHERE, np.int64)

    def __len__(self) -> int:
        """Letter states made."""
        return len(self.walker)

    @property
    def pools(self) -> tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.float32]]:
        """(piece, target state, cost) of all rows, one behind the other; narrow, since there are a million of them."""
        return self._pieces.values, self._targets.values, self._costs.values  # type: ignore[return-value]

    def need(self, states: NDArray[np.int64]) -> None:
        """Makes the rows of `states` that are not there yet."""
        if len(states) and int(states.max()) >= len(self.start):
            self._grow(int(states.max()) + 1)
        for state in np.unique(states[self.start[states] == NOWHERE]).tolist():
            self._make(state)

    def has(self, state: int) -> bool:
        """Whether the row of `state` is made."""
        return state < len(self.start) and self.start[state] != NOWHERE

    def reached(self, state: int) -> list[int]:
        """States one piece behind `state`, whose row is made for it."""
        self.need(np.array([state]))
        at, count = self.start[state], self.count[state]
        found: list[int] = np.unique(self.pools[1][at : at + count]).tolist()
        return found

    def final(self, state: int) -> float | None:
        """What it costs to end here; None where the sentence cannot end."""
        return self.walker.final(state)

    def heard(self, pieces: Sequence[int], state: int, *, whole: bool) -> str:
        """What `pieces`, which lead to `state`, say in the walker's letters; `whole`: they end the sentence."""
        return self.vocabulary.text(pieces)

    def trim(self, most: int) -> None:
        """Begins anew where more than `most` letter states were made; only between utterances."""
        if len(self) > most:
            self._clear(Walker(self.walker.graph.unwalked()))

    def _grow(self, least: int) -> None:
        more = max(len(self.start), least - len(self.start))
        self.start = np.concatenate([self.start, np.full(more, NOWHERE, np.int64)])
        self.count = np.concatenate([self.count, np.zeros(more, np.int64)])
        self.wild_word = np.concatenate([self.wild_word, np.full(more, NOWHERE, np.int64)])
        self.wild_word_cost = np.concatenate([self.wild_word_cost, np.zeros(more, np.float32)])
        self.wild_inside = np.concatenate([self.wild_inside, np.full(more, NOWHERE, np.int64)])

    def _make(self, state: int) -> None:
        pieces = list(self.vocabulary.silent)
        targets, costs = [state] * len(pieces), [0.0] * len(pieces)
        waiting = [(self.vocabulary.root, state, 0.0)]
        while waiting:
            node, at, cost = waiting.pop()
            for letter, step in self.walker.steps(at, node.children):
                child, onward = node.children[letter], cost + step.cost
                waiting.append((child, step.state, onward))
                pieces += child.pieces
                targets += [step.state] * len(child.pieces)
                costs += [onward] * len(child.pieces)
        self.start[state], self.count[state] = self._pieces.used, len(pieces)
        self._pieces.append(pieces)
        self._targets.append(targets)
        self._costs.append(costs)
        self._make_wild(state)

    def _make_wild(self, state: int) -> None:
        entry = self.walker.wild_entry(state)
        if entry is None:
            return
        if self.walker.is_wild(state):
            self.wild_word[state] = self.wild_inside[state] = state
            self.wild_word_cost[state] = WILD_WORD_COST
        elif self.walker.after_space(state):
            self.wild_inside[state] = entry.state
        else:
            self.wild_word[state] = entry.state
            self.wild_word_cost[state] = WILD_WORD_COST + entry.cost
