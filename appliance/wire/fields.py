"""In: a field's type. Out: what takes a value off the wire as that type, or refuses it.

JSON's own types only, as strict as they are, but for two: a whole number may come as 2.0, and any number is a float.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import UnionType
from typing import Any, get_args, get_origin

Check = Callable[[Any], Any]
"""Gives the value as it is kept. Raises TypeError for one of another type."""


def check_of(kind: Any) -> Check:
    """The check of the annotation `kind`: str, bool, bytes, int, float, Any, tuple, dict, or one of them or None."""
    parts = get_args(kind)
    if kind is Any:
        return lambda value: value
    if get_origin(kind) is UnionType:
        return _or_none(check_of(next(part for part in parts if part is not type(None))))
    if get_origin(kind) is dict:
        return _dictionary(check_of(parts[0]), check_of(parts[1]))
    if get_origin(kind) is tuple:
        return _many(check_of(parts[0])) if parts[1:] == (...,) else _row([check_of(part) for part in parts])
    return {int: _whole_number, float: _number}.get(kind) or _just(kind)


def _just(kind: type) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(value)
        return value

    return check


def _whole_number(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError(value)  # JSON's reader takes NaN and Infinity; nobody behind it can
    return float(value)


def _or_none(inner: Check) -> Check:
    return lambda value: None if value is None else inner(value)


def _dictionary(keys: Check, values: Check) -> Check:
    def check(value: Any) -> dict[Any, Any]:
        return {keys(key): values(each) for key, each in _just(dict)(value).items()}

    return check


def _many(inner: Check) -> Check:
    return lambda value: tuple(map(inner, _listed(value)))


def _row(inner: list[Check]) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        if len(_listed(value)) != len(inner):
            raise TypeError(value)
        return tuple(take(each) for take, each in zip(inner, value, strict=True))

    return check


def _listed(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return value
