"""In: what a node of a graph is. Out: the same in one number.

Nodes in the middle of a text or of a list's value, which are nine of ten, are told by their number alone: how they go on and
what follows. Only those of the sentences' structure are kept in a table, where their number is their place.
"""

from __future__ import annotations

TABLE, TEXT, VALUE = range(3)
"""Kinds of nodes, in the lowest two bits; with the place in a text or trie, and what follows, they fill NODE_BITS."""
NODE_BITS = 47
_KIND_BITS, _PLACE_BITS = 2, 24
MOST_PLACES = 1 << _PLACE_BITS
CHOICE, REST = range(2)
"""Kinds of definitions in the table that are one number, in the lowest bit; what follows stands in the highest, which may be
of any length."""
_FORM_BITS, _SCOPE_BITS, _AT_BITS = 24, 16, 16


def table(number: int) -> int:
    return number << _KIND_BITS | TABLE


def of_table(node: int) -> int:
    """Number in the table."""
    return node >> _KIND_BITS


def text(tail: int, after: int) -> int:
    """`after` is the number of what follows."""
    return (after << _PLACE_BITS | tail) << _KIND_BITS | TEXT


def value(at: int, after: int) -> int:
    """`after` is the number of the trie and what follows."""
    return (after << _PLACE_BITS | at) << _KIND_BITS | VALUE


def of_place(node: int) -> tuple[int, int]:
    """(place in its text or trie, number of what follows)."""
    return node >> _KIND_BITS & MOST_PLACES - 1, node >> _PLACE_BITS + _KIND_BITS


def choice(form: int, scope: int, following: int) -> int:
    """`scope` is -1 where the form says the same in every scope."""
    return _in_scope(form, scope, following) << 1 | CHOICE


def of_choice(packed: int) -> tuple[int, int, int]:
    """(form, scope, following)."""
    return _of_scope(packed >> 1)


def rest(form: int, at: int, scope: int, following: int) -> int:
    return (_in_scope(form, scope, following) << _AT_BITS | at) << 1 | REST


def of_rest(packed: int) -> tuple[int, int, int, int]:
    """(form, place in it, scope, following)."""
    form, scope, following = _of_scope(packed >> 1 + _AT_BITS)
    return form, packed >> 1 & (1 << _AT_BITS) - 1, scope, following


def _in_scope(form: int, scope: int, following: int) -> int:
    return (following << _SCOPE_BITS | scope + 1) << _FORM_BITS | form


def _of_scope(packed: int) -> tuple[int, int, int]:
    over = packed >> _FORM_BITS
    return packed & (1 << _FORM_BITS) - 1, (over & (1 << _SCOPE_BITS) - 1) - 1, over >> _SCOPE_BITS
