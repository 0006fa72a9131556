"""In: parsed expression trees. Out: the same with equal parts only once: templates have most of their parts in common."""

from __future__ import annotations

from typing import Any

from hassil.expression import Alternative, Expression, Group, ListReference, RuleReference, TextChunk

MOST_PARTS = 100_000
"""Beyond it sharing begins anew, so that a home whose sentences change every day does not fill the memory. The built-in
English ones have 2,800."""


class Shared:
    """Parts of trees. Not thread-safe."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Expression] = {}

    def of(self, expression: Expression) -> Expression:
        """The part that is equal to `expression`, or itself; its own parts become shared ones."""
        if len(self._known) > MOST_PARTS:
            self._known.clear()
        if isinstance(expression, TextChunk):
            expression.parent = None  # it would hold the whole tree
        elif isinstance(expression, Group):
            expression.items = [self.of(item) for item in expression.items]
        return self._known.setdefault(_key(expression), expression)


def _key(expression: Expression) -> tuple[Any, ...]:
    """Equal for equal expressions with shared parts: these live as long as the whole, so that their ids stay theirs."""
    if isinstance(expression, TextChunk):
        return (TextChunk, expression.text, expression.original_text)
    if isinstance(expression, RuleReference):
        return (RuleReference, expression.rule_name)
    if isinstance(expression, ListReference):
        fields = {name: value for name, value in vars(expression).items() if name != "_inline_range_match"}
        return (ListReference, expression.get_inline_range(), *fields.items())
    if isinstance(expression, Group):
        optional = isinstance(expression, Alternative) and expression.is_optional
        return (type(expression), optional, *(id(item) for item in expression.items))
    return (id(expression),)
