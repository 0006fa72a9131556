"""In: expression trees in their scopes. Out: whether somebody could say them in this home."""

from __future__ import annotations

from collections.abc import Sequence

from hassil.expression import Alternative, Expression, Group, ListReference, RuleReference, TextChunk
from hassil.intents import WildcardSlotList

from appliance.grammar.automaton.forms import Forms
from appliance.grammar.automaton.trie import Tries
from appliance.grammar.lexicon.chunk import can_say
from appliance.grammar.scope import Scope

MOST_DEPTH = 32
"""Rules that refer to each other deeper than this are taken for a loop."""


class Sayable:
    """Whether some way through an expression has no empty list, no unknown rule and no sign without a word."""

    def __init__(self, language: str, tries: Tries, forms: Forms, scopes: Sequence[Scope]) -> None:
        """`scopes` may grow later."""
        self._language = language
        self._tries = tries
        self._forms = forms
        self._scopes = scopes
        self._known: dict[tuple[int, int], bool] = {}

    def says(self, expression: Expression, scope: int) -> bool:
        """As `can_say`, remembered."""
        key = (self._forms.of(expression), scope)
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self.can_say(expression, scope)
        return known

    def can_say(self, expression: Expression, scope: int, depth: int = 0) -> bool:
        """Whether `expression` can be said in the scope of that number."""
        if isinstance(expression, Alternative):
            return any(self.can_say(item, scope, depth) for item in expression.items)
        if isinstance(expression, Group):
            return all(self.can_say(item, scope, depth) for item in expression.items)
        if isinstance(expression, TextChunk):
            return can_say(expression.original_text, self._language)
        if isinstance(expression, RuleReference):
            rule = self._scopes[scope].rules.get(expression.rule_name)
            return rule is not None and depth < MOST_DEPTH and self.can_say(rule.expression, scope, depth + 1)
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
        return self._tries[self._tries.in_scope(scope, reference.list_name)].some
