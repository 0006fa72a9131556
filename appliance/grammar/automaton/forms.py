"""In: expression trees. Out: a number for each of their forms: equal expressions of different sentences have the same."""

from __future__ import annotations

from typing import Any

from hassil.expression import Expression, Group, ListReference, RuleReference, Sequence, TextChunk

COMMAND_SLOT = "conversation_command"
"""The slot of what is to be done later: any sentence of the grammar."""


def is_command(expression: Expression) -> bool:
    """Whether `expression` stands for a whole command."""
    return isinstance(expression, ListReference) and expression.slot_name == COMMAND_SLOT


def begins_with_command(expression: Expression) -> bool:
    """Whether a sentence is a command and then something more."""
    return type(expression) is Sequence and is_command(expression.items[0])


def ends_with_command(expression: Expression) -> bool:
    """Whether a sentence is something and then a command."""
    return type(expression) is Sequence and is_command(expression.items[-1])


class Forms:
    """Expressions by form."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._expressions: list[Expression] = []
        self._of: dict[int, int] = {}
        self._kept: list[Expression] = []
        self._free: list[bool] = []

    def __getitem__(self, form: int) -> Expression:
        return self._expressions[form]

    def items(self, form: int) -> list[Expression]:
        """Parts of a group."""
        return self._expressions[form].items  # type: ignore[attr-defined,no-any-return]

    def of(self, expression: Expression) -> int:
        """The number of `expression`'s form."""
        if (known := self._of.get(id(expression))) is not None:
            return known
        form = self._numbers.setdefault(self._key(expression), len(self._expressions))
        if form == len(self._expressions):
            self._expressions.append(expression)
            self._free.append(self._says_the_same(expression))
        self._kept.append(expression)  # ids are unique only while the expression lives
        self._of[id(expression)] = form
        return form

    def is_free(self, form: int) -> bool:
        """Whether the form says the same in every scope: it refers to no list and no rule."""
        return self._free[form]

    def _says_the_same(self, expression: Expression) -> bool:
        return isinstance(expression, TextChunk) or (
            isinstance(expression, Group) and all(self._free[self.of(item)] for item in expression.items)
        )

    def _key(self, expression: Expression) -> tuple[Any, ...]:
        if isinstance(expression, TextChunk):
            return ("text", expression.original_text)
        if isinstance(expression, RuleReference):
            return ("rule", expression.rule_name)
        if isinstance(expression, ListReference):
            return ("list", expression.list_name, is_command(expression))
        assert isinstance(expression, Group)
        return (type(expression).__name__, *(self.of(item) for item in expression.items))
