"""In: expression trees of sentences. Out: a graph of letters, expanded only where somebody walks.

A node is what is still to be said: (what, where in it, what follows). Equal rests are the same node, so that thousands of
templates share their ends, and a list of 5,000 names is one trie however many sentences refer to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.intents import RangeSlotList, WildcardSlotList

from appliance.grammar.scope import Scope, Tries
from appliance.grammar.spoken import APOSTROPHES, is_spelled, letters, ways

SKIP_COST = 8.0
"""Natural log, for each polite word around the command; at 4 noise was heard as "please" and "would you"."""
MOST_DEPTH = 32
"""Rules that refer to each other deeper than this are taken for a loop."""

_WORDS = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[%°&+]|[^\w%°&+]+|_+")

END = 0
"""The node where a sentence is over."""
WILD = "*"
"""Pseudo letter: any letter, in a free-text slot."""


class Arc(NamedTuple):
    """`letter` is '' (nothing said), ' ' (a word ends), WILD or a letter; `written` goes into the sentence's text."""

    letter: str
    target: int
    cost: float = 0.0
    written: str = ""


class Graph:
    """All that may be said. Not thread-safe: expansion remembers."""

    def __init__(self, language: str, skip_words: Sequence[str] = (), *, coarse: bool = False) -> None:
        """`coarse`: of ranges only the numbers up to 12 and those that 5 divides."""
        self._language = language
        self._tries = Tries(language, coarse)
        self._ids: dict[tuple[Any, ...], int] = {("end",): END}
        self._nodes: list[tuple[Any, ...]] = [("end",)]
        self._arcs: dict[int, tuple[Arc, ...]] = {}
        self._forms: dict[tuple[Any, ...], int] = {}
        self._expressions: list[Expression] = []
        self._scopes: list[Scope] = []
        self._forms_of: dict[int, int] = {}
        self._kept: list[Expression] = []
        self._free: dict[int, bool] = {}
        self._skips = tuple(dict.fromkeys(way for skip in skip_words for way in ways(skip, language)))
        self._starts: dict[int, float] = {}
        self._sentences: list[tuple[Expression, int, float]] = []
        self._texts: list[tuple[str, float]] = []
        self.start = self._node("start")

    def add(self, expression: Expression, scope: int, cost: float) -> bool:
        """Adds a sentence; False where it can never be said (an empty list, an unknown rule or letter)."""
        if not self._can_say(expression, scope, 0):
            return False
        self._start_at(self._expression(expression, scope, END), cost)
        self._sentences.append((expression, scope, cost))
        return True

    def add_text(self, text: str, cost: float) -> bool:
        """Adds a plain text, e.g. an answer to a question; False where it cannot be said."""
        said = ways(text, self._language)
        for way in said:
            self._start_at(self._said(way, text, END), cost)
        self._texts.append((text, cost))
        return bool(said)

    def unwalked(self) -> Graph:
        """The same sentences without what walking made of them; lists are shared. Blocks for some 50 ms."""
        other = Graph(self._language)
        other._tries, other._skips, other._scopes = self._tries, self._skips, self._scopes
        for expression, scope, cost in self._sentences:
            other.add(expression, scope, cost)
        for text, cost in self._texts:
            other.add_text(text, cost)
        return other

    def scope(self, scope: Scope) -> int:
        """Makes `scope` known; its number is what `add` takes."""
        self._scopes.append(scope)
        return len(self._scopes) - 1

    def __len__(self) -> int:
        return len(self._nodes)

    def arcs(self, node: int) -> tuple[Arc, ...]:
        """Arcs out of `node`."""
        if (known := self._arcs.get(node)) is None:
            known = self._arcs[node] = tuple(self._expand(self._nodes[node]))
        return known

    def wild_end(self, node: int) -> int:
        """What follows the free-text slot that `node` is in."""
        kind, _, following = self._nodes[node]
        assert kind == "wild"
        return int(following)

    def _start_at(self, node: int, cost: float) -> None:
        self._starts[node] = min(cost, self._starts.get(node, cost))

    def _node(self, *definition: Any) -> int:
        node = self._ids.setdefault(definition, len(self._nodes))
        if node == len(self._nodes):
            self._nodes.append(definition)
        return node

    def _expand(self, node: tuple[Any, ...]) -> Iterable[Arc]:
        match node:
            case ("start",):
                return self._start_arcs()
            case ("begin",):
                return [Arc("", target, cost) for target, cost in self._starts.items()]
            case ("end",):
                return [Arc(" ", self._said(skip, skip, END), SKIP_COST, " ") for skip in self._skips]
            case ("any", targets):
                return [Arc("", target) for target in targets]
            case ("letter", letter, written, following):
                return [Arc(letter, following, 0.0, written)]
            case ("choice", form, scope, following):
                return self._choice_arcs(form, scope, following)
            case ("rest", form, at, scope, following):
                item = self._items(form)[at]
                return [Arc("", self._expression(item, scope, self._rest(form, at + 1, scope, following)))]
            case ("perm", items, scope, following):
                return self._permutation_arcs(items, scope, following)
            case ("value", trie, at, following):
                return self._value_arcs(trie, at, following)
            case ("wild", inside, following):
                return self._wild_arcs(inside, following)
        raise AssertionError(node)

    def _start_arcs(self) -> list[Arc]:
        """The first word of a sentence begins behind a word boundary like every other."""
        polite = [Arc(" ", self._said(skip, f"{skip} ", self.start), SKIP_COST) for skip in self._skips]
        return [Arc(" ", self._node("begin")), *polite]

    def _value_arcs(self, trie: int, at: int, following: int) -> Iterable[Arc]:
        table = self._tries[trie]
        for letter, child in table.children[at].items():
            yield Arc(letter, self._node("value", trie, child, following))
        if (written := table.written[at]) is not None:
            yield Arc("", following, 0.0, written)

    def _wild_arcs(self, inside: bool, following: int) -> Iterable[Arc]:
        yield Arc(WILD, self._node("wild", True, following))
        if inside:
            yield Arc(" ", self._node("wild", False, following), 0.0, " ")
            yield Arc("", following)

    def _choice_arcs(self, form: int, scope: int, following: int) -> list[Arc]:
        items = [item for item in self._items(form) if self._can_say(item, scope, 0)]
        return [Arc("", node) for node in dict.fromkeys(self._expression(i, scope, following) for i in items)]

    def _permutation_arcs(self, items: tuple[int, ...], scope: int, following: int) -> list[Arc]:
        arcs = []
        for at, item in enumerate(items):
            rest = items[:at] + items[at + 1 :]
            after = self._node("perm", rest, scope, following) if rest else following
            arcs.append(Arc("", self._expression(self._expressions[item], scope, after)))
        return arcs

    def _expression(self, expression: Expression, scope: int, following: int) -> int:
        """The node that says `expression` and then what `following` says."""
        if isinstance(expression, TextChunk):
            return self._chunk(expression.original_text, following)
        if isinstance(expression, RuleReference):
            return self._expression(self._scopes[scope].rules[expression.rule_name].expression, scope, following)
        if isinstance(expression, ListReference):
            return self._list(expression, scope, following)
        form = self._form(expression)
        scope = -1 if self._is_free(form) else scope
        if isinstance(expression, Permutation):
            return self._node("perm", tuple(self._form(item) for item in expression.items), scope, following)
        if isinstance(expression, Alternative):
            return self._node("choice", form, scope, following)
        return self._rest(form, 0, scope, following)

    def _rest(self, form: int, at: int, scope: int, following: int) -> int:
        if at == len(self._items(form)):
            return following
        return self._node("rest", form, at, scope, following)

    def _list(self, reference: ListReference, scope: int, following: int) -> int:
        if (span := reference.get_inline_range()) is not None:
            values: Any = RangeSlotList(name=None, start=span[0], stop=span[1], step=span[2])
            return self._node("value", self._tries.of(values, None, span), 0, following)
        where = self._scopes[scope]
        values = where.lists[reference.list_name]
        if isinstance(values, WildcardSlotList):
            return self._node("wild", False, following)
        return self._node("value", self._tries.of(values, where.allowed(reference.list_name)), 0, following)

    def _chunk(self, text: str, following: int) -> int:
        """A piece of a template: letter by letter, but figures, signs and abbreviations in every way they are said."""
        for word in reversed(_WORDS.findall(text)):
            if not _is_special(word):
                following = self._plain(word, following)
            else:
                nodes = tuple(self._said(way, word, following) for way in ways(word, self._language))
                following = nodes[0] if len(nodes) == 1 else self._node("any", nodes)
        return following

    def _plain(self, word: str, following: int) -> int:
        """A word as it is written: apostrophes are not heard, everything between words is a word's end."""
        for sign in reversed(word):
            heard = letters(sign) if sign.isalnum() else "" if sign in APOSTROPHES + ".,!?;:" else " "
            for at in range(len(heard) - 1, 0, -1):
                following = self._node("letter", heard[at], "", following)
            following = self._node("letter", heard[:1], sign, following)
        return following

    def _said(self, way: str, written: str, following: int) -> int:
        """`way`, letter by letter, for what is written as `written`."""
        for letter in reversed(way[1:]):
            following = self._node("letter", letter, "", following)
        return self._node("letter", way[0], written, following)

    def _can_say(self, expression: Expression, scope: int, depth: int) -> bool:
        """Whether some way through `expression` has no empty list, no unknown rule and no sign without a word."""
        if isinstance(expression, Alternative):
            return any(self._can_say(item, scope, depth) for item in expression.items)
        if isinstance(expression, Group):
            return all(self._can_say(item, scope, depth) for item in expression.items)
        if isinstance(expression, TextChunk):
            return all(
                ways(word, self._language) for word in _WORDS.findall(expression.original_text) if _is_special(word)
            )
        if isinstance(expression, RuleReference):
            rule = self._scopes[scope].rules.get(expression.rule_name)
            return rule is not None and depth < MOST_DEPTH and self._can_say(rule.expression, scope, depth + 1)
        if isinstance(expression, ListReference):
            return self._has_values(expression, self._scopes[scope])
        return False

    def _has_values(self, reference: ListReference, scope: Scope) -> bool:
        if reference.is_inline_range:
            return True
        if (values := scope.lists.get(reference.list_name)) is None:
            return False
        if isinstance(values, WildcardSlotList):
            return True
        return self._tries[self._tries.of(values, scope.allowed(reference.list_name))].some

    def _items(self, form: int) -> list[Expression]:
        return self._expressions[form].items  # type: ignore[attr-defined,no-any-return]

    def _form(self, expression: Expression) -> int:
        """The number of `expression`'s form: equal expressions of different sentences have the same."""
        if (known := self._forms_of.get(id(expression))) is not None:
            return known
        form = self._forms.setdefault(self._key(expression), len(self._expressions))
        if form == len(self._expressions):
            self._expressions.append(expression)
        self._kept.append(expression)  # ids are unique only while the expression lives
        self._forms_of[id(expression)] = form
        return form

    def _key(self, expression: Expression) -> tuple[Any, ...]:
        if isinstance(expression, TextChunk):
            return ("text", expression.original_text)
        if isinstance(expression, RuleReference):
            return ("rule", expression.rule_name)
        if isinstance(expression, ListReference):
            return ("list", expression.list_name)
        assert isinstance(expression, Group)
        return (type(expression).__name__, *(self._form(item) for item in expression.items))

    def _is_free(self, form: int) -> bool:
        """Whether the form says the same in every scope: it refers to no list and no rule."""
        if (known := self._free.get(form)) is None:
            expression = self._expressions[form]
            known = self._free[form] = isinstance(expression, TextChunk) or (
                isinstance(expression, Group) and all(self._is_free(self._form(item)) for item in expression.items)
            )
        return known


def _is_special(word: str) -> bool:
    """Whether `word` is said otherwise than it is written."""
    return word[0].isdigit() or word[0] in "%°&+" or is_spelled(word)
