"""In: a question about the past. Out: columns of numbers for charts, turns, a time line, commands. Blocks: for a thread."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from appliance.hub.store.database import FILE, connect
from appliance.hub.store.history import History
from appliance.hub.store.packing import Floats, unpack
from appliance.hub.store.rollup import local_days
from appliance.hub.store.tables import HOUR, MINUTE, RAW, Grain

MOST_POINTS = 2000
MOST_ROWS = 500
GAP_STEPS = 3.0
"""Rows further apart than this many usual distances are a gap, and a gap is shown as one."""


@dataclass(frozen=True, slots=True)
class Series:
    """Columns as a chart wants them; None is a gap or not known."""

    t: list[float]
    """Unix seconds, rising."""
    series: dict[str, list[float | None]]
    grain: str
    """raw, minute or hour."""


def grain_for(span_s: float, points: int) -> Grain:
    """The finest grain that does not read far more rows than there are points to draw."""
    if span_s <= RAW.keep_s and span_s / 10.0 <= points * 30:
        return RAW
    return MINUTE if span_s / MINUTE.step_s <= points * 30 and span_s <= MINUTE.keep_s else HOUR


class Reader:
    """Reads with a connection of its own where the history is a file; one question at a time."""

    def __init__(self, history: History, database: sqlite3.Connection) -> None:
        self._history, self._database = history, database
        self._lock = threading.Lock()

    def series(self, device: str, names: Sequence[str], from_s: float, to_s: float, points: int = 400) -> Series:
        """The history of some columns of a device between two times, at most `points` rows (means over buckets)."""
        points = min(max(points, 2), MOST_POINTS)
        grain = grain_for(to_s - from_s, points)
        number = self._history.device_id(device)
        rows: list[tuple[int, bytes]] = []
        if number is not None and to_s > from_s:
            rows = self._all(
                f"SELECT at, packed FROM {grain.name} WHERE device = ? AND at >= ? AND at < ? ORDER BY at",
                (number, round(from_s * 1000), round(to_s * 1000)),
            )
        places = {name: self._history.columns.known(name) for name in names}
        factor = 1 if grain is RAW else 3
        width = factor * (max((place for place in places.values() if place is not None), default=-1) + 1)
        table = unpack([packed for _, packed in rows], width)[:, ::factor] if width else np.empty((len(rows), 0))
        at_s = np.array([at for at, _ in rows], np.float64) / 1000
        at_s, table = _with_gaps(*_thinned(at_s, table, points))
        nothing: list[float | None] = [None] * len(at_s)
        values = {name: nothing if place is None else _plain(table[:, place]) for name, place in places.items()}
        return Series([round(float(at), 3) for at in at_s], values, grain.name)

    def turns(self, device: str, most: int = 50) -> list[dict[str, Any]]:
        """The last turns, the newest first."""
        rows = self._of_device(
            "SELECT at, turn, body FROM turn WHERE device = ? ORDER BY at DESC LIMIT ?", device, most
        )
        return [{"at": at / 1000, "turn": turn, **json.loads(body)} for at, turn, body in rows]

    def timeline(self, device: str, most: int = 200) -> list[dict[str, Any]]:
        """What happened to a device, the newest first."""
        sql = "SELECT at, kind, text, severity FROM line WHERE device = ? ORDER BY at DESC, rowid DESC LIMIT ?"
        names = ("at", "kind", "text", "severity")
        rows = self._of_device(sql, device, most)
        return [dict(zip(names, (row[0] / 1000, *row[1:]), strict=True)) for row in rows]

    def audit(self, most: int = 100) -> list[dict[str, Any]]:
        """The commands that went through the hub, the newest first."""
        rows = self._all(
            "SELECT at, who, device, command, args, ok, result, took_ms FROM audit ORDER BY at DESC, rowid DESC LIMIT ?",
            (min(max(most, 1), MOST_ROWS),),
        )
        return [
            {"at": at / 1000, "who": who, "device": device, "command": command, "args": json.loads(args),
             "ok": bool(ok), "result": result, "took_ms": took_ms}
            for at, who, device, command, args, ok, result, took_ms in rows
        ]  # fmt: skip

    def kept(self, days: int = 7, now_s: float | None = None) -> list[dict[str, Any]]:
        """Budget → share of device-minutes in which it was kept, the worst first."""
        first = local_days(days, now_s)[0]
        rows = self._all("SELECT budget, sum(met), sum(judged) FROM kept WHERE day >= ? GROUP BY budget", (first,))
        shares = [{"name": name, "share": met / judged, "minutes": judged} for name, met, judged in rows if judged]
        return sorted(shares, key=lambda row: row["share"])

    def _of_device(self, sql: str, device: str, most: int) -> list[Any]:
        number = self._history.device_id(device)
        return [] if number is None else self._all(sql, (number, min(max(most, 1), MOST_ROWS)))

    def _all(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()


def reading(history: History) -> Reader:
    """A reader beside the writer; a history that lives in memory is read through the writer's own connection."""
    file = history.folder / FILE
    writing = history.writer.database
    if history.in_memory:
        return Reader(history, writing)
    return Reader(history, connect(file, read_only=True))


def _thinned(at_s: Any, table: Any, points: int) -> tuple[Any, Any]:
    """Means over buckets of rows, so that at most `points` are left."""
    each = math.ceil(len(at_s) / points) if len(at_s) else 1
    if each <= 1:
        return at_s, table
    starts = np.arange(0, len(at_s), each)
    known = ~np.isnan(table)
    count = np.add.reduceat(known, starts, axis=0)
    total = np.add.reduceat(np.where(known, table, 0.0).astype(np.float64), starts, axis=0)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return at_s[starts], means


def _with_gaps(at_s: Any, table: Any) -> tuple[Any, Any]:
    """A row of NaN in the middle of every gap, so that no line is drawn over it."""
    if len(at_s) < 3:
        return at_s, table
    apart = np.diff(at_s)
    holes = np.nonzero(apart > GAP_STEPS * np.median(apart))[0]
    if not len(holes):
        return at_s, table
    middle = (at_s[holes] + at_s[holes + 1]) / 2
    nothing = np.full((len(holes), table.shape[1]), np.nan)
    return np.insert(at_s, holes + 1, middle), np.insert(table, holes + 1, nothing, axis=0)


def _plain(column: Floats) -> list[float | None]:
    return [None if value != value else float(f"{value:.6g}") for value in column.tolist()]
