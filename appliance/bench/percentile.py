"""In: a list of values, some perhaps missing. Out: its p50, p95 and p99, by one definition for the whole program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

LEVELS = (50, 95, 99)


def percentile(values: Sequence[float], level: float) -> float | None:
    """The value at rank level/100 · (n - 1) of the sorted values, linear between neighbours; None without values.

    That is Hyndman and Fan's definition 7, the one of numpy, R and spreadsheets. `level` is 0..100. With fewer than
    1/(1 - level/100) values it lies between the two largest: p99 of 20 turns says little more than the worst turn.
    """
    if not values:
        return None
    ordered = sorted(values)
    rank = level / 100 * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def summary(name: str, values: Iterable[float | None]) -> dict[str, float | None]:
    """`name.p50`, `name.p95` and `name.p99` of the values that are there, to a tenth."""
    present = [value for value in values if value is not None]
    figures = {f"{name}.p{level}": percentile(present, level) for level in LEVELS}
    return {key: None if value is None else round(value, 1) for key, value in figures.items()}
