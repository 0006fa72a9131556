"""In: expression trees of sentences. Out: a graph of letters, expanded only where somebody walks.

A node is what is still to be said: (what, where in it, what follows), in one number (see packing). Equal rests are the same
node, so that thousands of templates share their ends, and a list of 5,000 names is one trie however many sentences refer
to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hassil.expression import Alternative, Expression, ListReference, Permutation, RuleReference, TextChunk
from hassil.intents import RangeSlotList, WildcardSlotList

from appliance.grammar.automaton import packing
from appliance.grammar.automaton.forms import Forms, begins_with_command, ends_with_command, is_command
from appliance.grammar.automaton.interner import Interner
from appliance.grammar.automaton.tails import Tails
from appliance.grammar.automaton.trie import Tries
from appliance.grammar.lexicon.chunk import parts_of
from appliance.grammar.lexicon.sounds import Sound, in_sounds
from appliance.grammar.lexicon.spoken import ways
from appliance.grammar.sayable import Sayable
from appliance.grammar.scope import Scope

SKIP_COST = 8.0
"""Natural log, for each polite word around the command; at 4 noise was heard as "please" and "would you"."""
END = 0
"""The node where a sentence is over."""
WILD = "*"
"""Pseudo letter: any letter, in a free-text slot."""
LATER_COST = 8.0
"""Natural log, of putting a command off ("turn off the lights in five minutes"); at 2, 5 of 100 orders in noise at 6 dB were
heard to be put off, at 8 none."""

SOONER_COST = 4.0
"""The same where the time is said first: "can I have" in noise was heard as "in eighteen minutes may I have"."""


class Arc(NamedTuple):
    """`letter` is '' (nothing said), ' ' (a word ends), WILD or a letter; `written` goes into the sentence's text."""

    letter: str
    target: int
    cost: float = 0.0
    written: str = ""


class Value(NamedTuple):
    """Of a list, at some letter of it."""

    letters: list[tuple[str, int]]
    """(letter, node behind it) of all that may go on."""
    written: str | None
    """What is written for it where it may end here."""
    following: int
    """The node behind it."""


class Graph:
    """All that may be said. Not thread-safe: expansion remembers."""

    def __init__(
        self,
        language: str,
        skip_words: Sequence[str] = (),
        *,
        coarse: bool = False,
        sound: Sound | None = None,
        spellings: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """`coarse`: of ranges only the numbers up to 12 and those that 5 divides, and no command put off.

        `sound`: the letters of this graph are sounds; templates must not cut words ("Minute[n]"). `spellings`: see
        GrammarSource.
        """
        self._language = language
        self._coarse = coarse
        self._sound = sound
        self._tries = Tries(language, coarse, sound, spellings)
        self._tails = Tails()
        self._forms = Forms()
        self._scopes: list[Scope] = []
        self._sayable = Sayable(language, self._tries, self._forms, self._scopes)
        self._chunks: dict[str, tuple[tuple[tuple[str, str], ...] | str, ...]] = {}
        self._table: Interner[int | tuple[Any, ...]] = Interner()
        self._after_text: Interner[int] = Interner()
        self._after_value: Interner[tuple[int, int]] = Interner()
        """(trie, what follows)."""
        self._choices: dict[int, tuple[Arc, ...] | int] = {}
        """Of nodes of the table, their arcs; of those that only lead on, which are most, where to."""
        self._skips = tuple(dict.fromkeys(way for skip in skip_words for way in ways(skip, language)))
        self._starts: dict[int, float] = {}
        self._sentences: list[tuple[Expression, int, float]] = []
        self._put_off: list[tuple[int, int, float]] = []
        self._texts: list[tuple[str, float]] = []
        self._node("end")
        self.start = self._node("start")

    def add(self, expression: Expression, scope: int, cost: float) -> bool:
        """Adds a sentence; False where it can never be said (an empty list, an unknown rule or letter)."""
        if not self._sayable.can_say(expression, scope):
            return False
        self._take(expression, scope, cost)
        return True

    def add_text(self, text: str, cost: float) -> bool:
        """Adds a plain text, e.g. an answer to a question; False where it cannot be said."""
        said = ways(text, self._language)
        for way in said:
            self._start_at(self._said(way, text, END), cost)
        self._texts.append((text, cost))
        return bool(said)

    def unwalked(self) -> Graph:
        """The same sentences without what walking made of them; lists are shared. Blocks for some 20 ms."""
        other = Graph(self._language, coarse=self._coarse, sound=self._sound)
        other._tries, other._skips, other._scopes = self._tries, self._skips, self._scopes
        other._tails, other._forms = self._tails, self._forms
        other._sayable, other._chunks = self._sayable, self._chunks
        for sentence in self._sentences:
            other._take(*sentence)
        for text, cost in self._texts:
            other.add_text(text, cost)
        return other

    def scope(self, scope: Scope) -> int:
        """Makes `scope` known; its number is what `add` takes."""
        self._scopes.append(scope)
        return len(self._scopes) - 1

    def __len__(self) -> int:
        """Nodes of the table."""
        return len(self._table)

    def arcs(self, node: int) -> tuple[Arc, ...]:
        """Arcs out of `node`. Those of choices are remembered; the rest are quickly made again."""
        if (known := self._choices.get(node)) is not None:
            return (Arc("", known),) if isinstance(known, int) else known
        kind = node & 3
        if kind == packing.TEXT:
            letter, written, target = self._spelled(node)
            return (Arc(letter, target, 0.0, written),)
        if kind == packing.VALUE:
            return tuple(self._value_arcs(node))
        made = tuple(self._expand(self.definition(node)))
        self._choices[node] = made[0].target if len(made) == 1 and made[0] == Arc("", made[0].target) else made
        return made

    def plain(self, node: int) -> tuple[str, str, int] | None:
        """(letter, written, target) where `node` is in the middle of a text, its one arc, free of cost; None elsewhere."""
        return self._spelled(node) if node & 3 == packing.TEXT else None

    def value(self, node: int) -> Value | None:
        """What may be said next where `node` is in a list's value; None elsewhere."""
        if node & 3 != packing.VALUE:
            return None
        at, after = packing.of_place(node)
        number, following = self._after_value[after]
        trie = self._tries[number]
        return Value(
            [(letter, packing.value(child, after)) for letter, child in trie.children(at)],
            trie.written.get(at),
            following,
        )

    def following(self, node: int) -> int | None:
        """What follows the text or value that `node` is in; None where it is in neither."""
        if node & 3 == packing.TEXT:
            return self._after_text[packing.of_place(node)[1]]
        return self._after_value[packing.of_place(node)[1]][1] if node & 3 == packing.VALUE else None

    def opens_value(self, node: int) -> bool:
        """Whether a value of a list begins at `node`."""
        return node & 3 == packing.VALUE and packing.of_place(node)[0] == 0

    def wild_end(self, node: int) -> int:
        """What follows the free-text slot that `node` is in."""
        match self.definition(node):
            case ("wild", _, following):
                return int(following)
        raise AssertionError(node)

    def definition(self, node: int) -> int | tuple[Any, ...]:
        """What a `node` of the table says: packed into a number (see packing), or in words."""
        return self._table[packing.of_table(node)]

    def _take(self, expression: Expression, scope: int, cost: float) -> None:
        """A sentence that begins with a command goes on behind the end of every other; one that ends with it leads back."""
        self._sentences.append((expression, scope, cost))
        if not self._coarse and begins_with_command(expression):
            self._put_off.append((self._forms.of(expression), scope, cost + LATER_COST))
        else:
            dearer = SOONER_COST if ends_with_command(expression) else 0.0
            self._start_at(self._expression(expression, scope, END), cost + dearer)

    def _start_at(self, node: int, cost: float) -> None:
        self._starts[node] = min(cost, self._starts.get(node, cost))

    def _node(self, *definition: Any) -> int:
        return self._number(definition)

    def _number(self, definition: int | tuple[Any, ...]) -> int:
        return packing.table(self._table.number(definition))

    def _text(self, tail: int, following: int) -> int:
        return packing.text(tail, self._after_text.number(following)) if tail else following

    def _spelled(self, node: int) -> tuple[str, str, int]:
        """(letter, written, target) of a node in the middle of a text."""
        at, after = packing.of_place(node)
        letter, written, tail = self._tails[at]
        return letter, written, packing.text(tail, after) if tail else self._after_text[after]

    def _expand(self, node: int | tuple[Any, ...]) -> Iterable[Arc]:
        if isinstance(node, int):
            return self._choice_arcs(node) if node & 1 == packing.CHOICE else self._rest_arcs(node)
        match node:
            case ("start",):
                return self._start_arcs()
            case ("begin",):
                return [Arc("", target, cost) for target, cost in self._starts.items()]
            case ("end",):
                return self._end_arcs()
            case ("any", targets):
                return [Arc("", target) for target in targets]
            case ("perm", items, scope, following):
                return self._permutation_arcs(items, scope, following)
            case ("wild", inside, following):
                return self._wild_arcs(inside, following)
        raise AssertionError(node)

    def _start_arcs(self) -> list[Arc]:
        """The first word of a sentence begins behind a word boundary like every other."""
        polite = [Arc(" ", self._said(skip, f"{skip} ", self.start), SKIP_COST) for skip in self._skips]
        return [Arc(" ", self._node("begin")), *polite]

    def _end_arcs(self) -> list[Arc]:
        """Behind a sentence: politeness, or when it is to be done."""
        polite = [Arc(" ", self._said(skip, skip, END), SKIP_COST, " ") for skip in self._skips]
        return polite + [Arc("", self._rest(form, 1, scope, END), cost) for form, scope, cost in self._put_off]

    def _value_arcs(self, node: int) -> Iterable[Arc]:
        value = self.value(node)
        assert value is not None
        for letter, child in value.letters:
            yield Arc(letter, child)
        if value.written is not None:
            yield Arc("", value.following, 0.0, value.written)

    def _wild_arcs(self, inside: bool, following: int) -> Iterable[Arc]:
        yield Arc(WILD, self._node("wild", True, following))
        if inside:
            yield Arc(" ", self._node("wild", False, following), 0.0, " ")
            yield Arc("", following)

    def _choice_arcs(self, packed: int) -> list[Arc]:
        form, scope, following = packing.of_choice(packed)
        items = [item for item in self._forms.items(form) if self._sayable.says(item, scope)]
        return [Arc("", node) for node in dict.fromkeys(self._expression(i, scope, following) for i in items)]

    def _rest_arcs(self, packed: int) -> list[Arc]:
        form, at, scope, following = packing.of_rest(packed)
        item = self._forms.items(form)[at]
        return [Arc("", self._expression(item, scope, self._rest(form, at + 1, scope, following)))]

    def _permutation_arcs(self, items: tuple[int, ...], scope: int, following: int) -> list[Arc]:
        arcs = []
        for at, item in enumerate(items):
            rest = items[:at] + items[at + 1 :]
            after = self._node("perm", rest, scope, following) if rest else following
            arcs.append(Arc("", self._expression(self._forms[item], scope, after)))
        return arcs

    def _expression(self, expression: Expression, scope: int, following: int) -> int:
        """The node that says `expression` and then what `following` says."""
        if isinstance(expression, TextChunk):
            return self._chunk(expression.original_text, following)
        if isinstance(expression, RuleReference):
            return self._expression(self._scopes[scope].rules[expression.rule_name].expression, scope, following)
        if isinstance(expression, ListReference):
            return self._list(expression, scope, following)
        form = self._forms.of(expression)
        scope = -1 if self._forms.is_free(form) else scope
        if isinstance(expression, Permutation):
            return self._node("perm", tuple(self._forms.of(item) for item in expression.items), scope, following)
        if isinstance(expression, Alternative):
            return self._number(packing.choice(form, scope, following))
        return self._rest(form, 0, scope, following)

    def _rest(self, form: int, at: int, scope: int, following: int) -> int:
        if at == len(self._forms.items(form)):
            return following
        return self._number(packing.rest(form, at, scope, following))

    def _list(self, reference: ListReference, scope: int, following: int) -> int:
        if (span := reference.get_inline_range()) is not None:
            values: Any = RangeSlotList(name=None, start=span[0], stop=span[1], step=span[2])
            return self._value(self._tries.of(values, None, span), following)
        if is_command(reference) and following == END and not self._coarse:
            return self.start
        where = self._scopes[scope]
        if isinstance(where.lists[reference.list_name], WildcardSlotList):
            return self._node("wild", False, following)
        return self._value(self._tries.in_scope(where, reference.list_name), following)

    def _value(self, trie: int, following: int) -> int:
        return packing.value(0, self._after_value.number((trie, following)))

    def _chunk(self, text: str, following: int) -> int:
        """A piece of a template: letter by letter, but figures, signs and abbreviations in every way they are said."""
        if (parts := self._chunks.get(text)) is None:
            parts = self._chunks[text] = tuple(parts_of(text, words=self._sound is not None))
        for part in reversed(parts):
            if not isinstance(part, str):
                following = self._text(self._tails.before(part, 0), following)
                continue
            nodes = tuple(self._said(way, part, following) for way in ways(part, self._language))
            following = nodes[0] if len(nodes) == 1 else self._node("any", nodes)
        return following

    def _said(self, way: str, written: str, following: int) -> int:
        """`way`, letter by letter or sound by sound, for what is written as `written`."""
        way = way if self._sound is None else in_sounds(way, self._sound)
        signs = [(letter, "" if at else written) for at, letter in enumerate(way)]
        return self._text(self._tails.before(signs, 0), following)
