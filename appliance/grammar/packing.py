"""In: what a node of a graph is. Out: the same in one number, since as tuples nodes took three times the memory."""

from __future__ import annotations

TEXT, VALUE, CHOICE, REST = range(4)
"""Kinds of packed nodes, in the lowest two bits; what follows stands in the highest, which may be of any length."""
_TAIL_BITS, _TRIE_BITS, _PLACE_BITS, _FORM_BITS, _SCOPE_BITS, _AT_BITS = 32, 16, 32, 24, 16, 16


def text(tail: int, following: int) -> int:
    return (following << _TAIL_BITS | tail) << 2 | TEXT


def of_text(node: int) -> tuple[int, int]:
    """(tail, following)."""
    return node >> 2 & (1 << _TAIL_BITS) - 1, node >> 2 + _TAIL_BITS


def value(trie: int, at: int, following: int) -> int:
    return ((following << _PLACE_BITS | at) << _TRIE_BITS | trie) << 2 | VALUE


def of_value(node: int) -> tuple[int, int, int]:
    """(trie, place in it, following)."""
    place = node >> 2 + _TRIE_BITS
    return node >> 2 & (1 << _TRIE_BITS) - 1, place & (1 << _PLACE_BITS) - 1, place >> _PLACE_BITS


def choice(form: int, scope: int, following: int) -> int:
    """`scope` is -1 where the form says the same in every scope."""
    return _in_scope(form, scope, following) << 2 | CHOICE


def of_choice(node: int) -> tuple[int, int, int]:
    """(form, scope, following)."""
    return _of_scope(node >> 2)


def rest(form: int, at: int, scope: int, following: int) -> int:
    return (_in_scope(form, scope, following) << _AT_BITS | at) << 2 | REST


def of_rest(node: int) -> tuple[int, int, int, int]:
    """(form, place in it, scope, following)."""
    form, scope, following = _of_scope(node >> 2 + _AT_BITS)
    return form, node >> 2 & (1 << _AT_BITS) - 1, scope, following


def _in_scope(form: int, scope: int, following: int) -> int:
    return (following << _SCOPE_BITS | scope + 1) << _FORM_BITS | form


def _of_scope(packed: int) -> tuple[int, int, int]:
    over = packed >> _FORM_BITS
    return packed & (1 << _FORM_BITS) - 1, (over & (1 << _SCOPE_BITS) - 1) - 1, over >> _SCOPE_BITS
