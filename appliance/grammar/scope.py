"""In: hassil's rules, lists and context demands of a block of sentences. Out: which list values may stand in it, as tries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hassil.errors import HassilError
from hassil.expression import Sentence, TextChunk
from hassil.intents import RangeSlotList, SlotList, TextSlotList, TextSlotValue
from hassil.sample import sample_expression
from hassil.util import check_excluded_context, check_required_context

from appliance.grammar.spoken import number_words, ways

MOST_SAMPLES = 64
"""Texts that one list value written as a template may stand for."""


@dataclass(slots=True)
class Trie:
    """Spoken values, letter by letter. Node 0 is the root."""

    children: list[dict[str, int]] = field(default_factory=lambda: [{}])
    written: list[str | None] = field(default_factory=lambda: [None])
    """Text that stands in the sentence where a value ends at this node."""

    @property
    def some(self) -> bool:
        """Whether it holds any value."""
        return len(self.children) > 1

    def add(self, spoken: str, written: str) -> None:
        at = 0
        for letter in spoken:
            at = self.children[at].setdefault(letter, len(self.children))
            if at == len(self.children):
                self.children.append({})
                self.written.append(None)
        if self.written[at] is None:
            self.written[at] = written


class Tries:
    """Tries of lists, made once a set of values."""

    def __init__(self, language: str, coarse: bool = False) -> None:
        self._language = language
        self._coarse = coarse
        self._made: dict[Any, int] = {}
        self._tries: list[Trie] = []
        self._kept: list[SlotList] = []

    def __getitem__(self, number: int) -> Trie:
        return self._tries[number]

    def of(self, values: SlotList, allowed: tuple[int, ...] | None, span: tuple[int, int, int] | None = None) -> int:
        """The number of the trie of `values`; of those at the positions `allowed` only, where given."""
        key = span or (id(values), allowed)
        if key not in self._made:
            self._kept.append(values)  # ids are unique only while the list lives
            trie = Trie()
            for spoken, written in self._texts(values, allowed):
                trie.add(spoken, written)
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
    if isinstance(value.text_in, TextChunk):
        return [value.text_in.original_text]
    try:
        return list(islice(sample_expression(value.text_in), MOST_SAMPLES))
    except HassilError:
        return []  # a value that refers to a list or rule cannot be spoken


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What the sentences of one block may refer to."""

    rules: Mapping[str, Sentence]
    lists: Mapping[str, SlotList]
    requires: Mapping[str, Any]
    """Context that list values must bring, beyond what the home's own context already holds."""
    excludes: Mapping[str, Any]

    def allowed(self, name: str) -> tuple[int, ...] | None:
        """Positions of the values of list `name` that may stand here; None where all may."""
        values = self.lists[name]
        if not isinstance(values, TextSlotList) or not (self.requires or self.excludes):
            return None
        strict = self.brings(name, tuple(self.requires))
        chosen = tuple(at for at, value in enumerate(values.values) if self._fits(value, strict))
        return None if len(chosen) == len(values.values) else chosen

    def _fits(self, value: TextSlotValue, strict: bool) -> bool:
        """`strict`: the list is the one that must bring the required context."""
        return check_required_context(dict(self.requires), value.context or {}, allow_missing_keys=not strict) and (
            check_excluded_context(dict(self.excludes), value.context)
        )

    def brings(self, name: str, keys: tuple[str, ...]) -> bool:
        """Whether some value of list `name` brings context of all `keys`."""
        values = self.lists.get(name)
        return isinstance(values, TextSlotList) and any(
            value.context and all(key in value.context for key in keys) for value in values.values
        )
