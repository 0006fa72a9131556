"""In: hassil's lists. Out: which of their values may be said, letter by letter, in a few bytes a letter."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from hassil.errors import HassilError
from hassil.expression import TextChunk
from hassil.intents import RangeSlotList, SlotList, TextSlotList, TextSlotValue
from hassil.sample import sample_expression

from appliance.grammar.lexicon.sounds import Sound, in_sounds
from appliance.grammar.lexicon.spoken import number_words, respelled, ways
from appliance.grammar.scope import Scope

UNSPOKEN = "unspoken"
"""Key in the metadata of a list value that is for typed text only."""
MOST_SAMPLES = 64
"""Texts that one list value written as a template may stand for."""


class Trie:
    """Spoken values. Node 0 is the root; children of a node hang one behind the other: 12 bytes a node, where a table a
    node would take 200."""

    def __init__(self) -> None:
        self._letters = array("L", [0])
        self._first = array("L", [0])
        self._next = array("L", [0])
        self.written: dict[int, str] = {}
        """Text that stands in the sentence where a value ends at this node."""

    @property
    def some(self) -> bool:
        """Whether it holds any value."""
        return len(self._letters) > 1

    def children(self, at: int) -> Iterator[tuple[str, int]]:
        """(letter, node) of all that may follow."""
        child = self._first[at]
        while child:
            yield chr(self._letters[child]), child
            child = self._next[child]

    def add(self, spoken: str, written: str) -> None:
        at = 0
        for letter in spoken:
            at = self._child(at, ord(letter))
        self.written.setdefault(at, written)

    def _child(self, at: int, letter: int) -> int:
        """The node behind `letter`, made where it is not there; new ones come last."""
        last, child = 0, self._first[at]
        while child and self._letters[child] != letter:
            last, child = child, self._next[child]
        if not child:
            child = len(self._letters)
            for row, value in ((self._letters, letter), (self._first, 0), (self._next, 0)):
                row.append(value)
            if last:
                self._next[last] = child
            else:
                self._first[at] = child
        return child


class Tries:
    """Tries of lists, made once a set of values."""

    def __init__(
        self,
        language: str,
        coarse: bool = False,
        sound: Sound | None = None,
        spellings: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """`coarse`: of ranges only the numbers up to 12 and those that 5 divides. `sound`: values are spelled in sounds.
        `spellings`: as in GrammarSource; where another value is written so, that one is meant."""
        self._language = language
        self._spellings = spellings or {}
        self._coarse = coarse
        self._sound = sound
        self._made: dict[Any, int] = {}
        self._asked: dict[Any, int] = {}
        self._tries: list[Trie] = []
        self._kept: list[SlotList] = []

    def __getitem__(self, number: int) -> Trie:
        return self._tries[number]

    def in_scope(self, scope: Scope, name: str) -> int:
        """The number of the trie of the values of list `name` that may stand in `scope`."""
        key = (id(scope.lists[name]), scope.demands)
        if (known := self._asked.get(key)) is None:
            known = self._asked[key] = self.of(scope.lists[name], scope.allowed(name))
        return known

    def of(self, values: SlotList, allowed: tuple[int, ...] | None, span: tuple[int, int, int] | None = None) -> int:
        """The number of the trie of `values`; of those at the positions `allowed` only, where given."""
        key = span or (id(values), allowed)
        if key not in self._made:
            self._kept.append(values)  # ids are unique only while the list lives
            trie = Trie()
            texts = tuple(self._texts(values, allowed))
            for spoken, written in texts:
                if said := spoken if self._sound is None else in_sounds(spoken, self._sound):
                    trie.add(said, written)
            for spoken, written in texts if self._spellings else ():
                for other in respelled(spoken, self._spellings):
                    trie.add(other, written)
            self._made[key] = len(self._tries)
            self._tries.append(trie)
        return self._made[key]

    def _texts(self, values: SlotList, allowed: tuple[int, ...] | None) -> Iterable[tuple[str, str]]:
        if isinstance(values, RangeSlotList):
            for number in values.get_numbers():
                if self._coarse and number > 12 and number % 5:
                    continue
                words = number_words(number, values.words_language or self._language)
                for said in words:
                    yield said, str(number) if values.digits else words[0]
        elif isinstance(values, TextSlotList):
            chosen = values.values if allowed is None else [values.values[at] for at in allowed]
            for value in chosen:
                for text in _value_texts(value):
                    for said in ways(text, self._language):
                        yield said, text.strip()


def _value_texts(value: TextSlotValue) -> list[str]:
    if value.metadata and value.metadata.get(UNSPOKEN):
        return []
    if isinstance(value.text_in, TextChunk):
        return [value.text_in.original_text]
    try:
        return list(islice(sample_expression(value.text_in), MOST_SAMPLES))
    except HassilError:
        return []  # a value that refers to a list or rule cannot be spoken
