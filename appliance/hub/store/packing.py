"""In: named values. Out: one blob of 32-bit floats, and back: columns are places that are given once and stay.

raw: one float a column. minute and hour: mean, least and most, three floats a column. NaN: not known. A blob may be
shorter than the columns known by now: what came later was not there yet.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
MOST_COLUMNS = 400
"""Rubbish on the broker makes no table without an end."""


@dataclass(slots=True)
class Columns:
    """Names by place. `added` collects what the database does not have yet."""

    names: list[str] = field(default_factory=list)
    added: list[tuple[int, str]] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def know(self, names: Iterable[str]) -> None:
        """What the database has, in order of place."""
        for name in names:
            self._places[name] = len(self.names)
            self.names.append(name)

    def place(self, name: str) -> int | None:
        """Where a column is, given to it now if need be; None when there are too many."""
        found = self._places.get(name)
        if found is None and len(self.names) < MOST_COLUMNS:
            found = self._places[name] = len(self.names)
            self.names.append(name)
            self.added.append((found, name))
        return found

    def known(self, name: str) -> int | None:
        return self._places.get(name)

    def pack(self, values: Mapping[str, float | None]) -> bytes:
        """One row of `raw`."""
        row = array("f", [math.nan]) * len(self.names)
        for name, value in values.items():
            if value is None:
                continue
            place = self.place(name)
            if place is None:
                continue
            while place >= len(row):
                row.append(math.nan)
            row[place] = value
        return row.tobytes()


def unpack(blobs: Sequence[bytes], width: int) -> Floats:
    """Rows of floats, (rows, width); shorter blobs are filled with NaN, longer ones cut."""
    table = np.full((len(blobs), width), np.nan, np.float32)
    for place, blob in enumerate(blobs):
        row = np.frombuffer(blob, np.float32)[:width]
        table[place, : len(row)] = row
    return table


def summed(raw: Floats) -> bytes:
    """One minute's blob of its raw rows (rows, columns): mean, least, most a column."""
    return _packed(_mean(raw), _least(raw), _most(raw))


def merged(rows: Floats) -> bytes:
    """One blob of finer blobs (rows, 3 × columns)."""
    return _packed(_mean(rows[:, 0::3]), _least(rows[:, 1::3]), _most(rows[:, 2::3]))


def means(packed: bytes) -> Floats:
    """The mean of every column of a minute's or an hour's blob."""
    return np.frombuffer(packed, np.float32)[0::3]


def _packed(mean: Floats, least: Floats, most: Floats) -> bytes:
    return np.stack([mean, least, most], axis=1).astype(np.float32).tobytes()


def _mean(table: Floats) -> Floats:
    known = ~np.isnan(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _least(table: Floats) -> Floats:
    found = np.where(np.isnan(table), np.inf, table).min(axis=0, initial=np.inf)
    return np.where(np.isinf(found), np.nan, found).astype(np.float32)


def _most(table: Floats) -> Floats:
    found = np.where(np.isnan(table), -np.inf, table).max(axis=0, initial=-np.inf)
    return np.where(np.isinf(found), np.nan, found).astype(np.float32)
