"""In: raw rows on the disk. Out: minutes and hours, budgets kept, and old rows gone. Crash-safe: a mark says how far it is.

Runs in the writer's thread and transaction, a slice at a time, so that no batch waits long for it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping

from appliance.hub.store.packing import Columns, means, merged, summed, unpack
from appliance.hub.store.tables import DAY_S, GRAINS, HOUR, LINE_KEPT_S, MINUTE, RAW, TURNS_KEPT_S, Grain

LATE_S = 5.0
"""So long a minute stays open for messages that are under way."""
MOST_STEPS = 120
"""Minutes caught up in one go after a pause; the rest waits for the next look."""
EXPIRE_S = 60.0
TIGHTER = 0.5
"""When the file is over its bound, raw rows are kept for this share of the time before."""

Judge = Callable[[str, float], bool | None]
"""Whether a measure keeps its budget; None for what is not judged."""


class Rollup:
    """Sums and expiry."""

    def __init__(self, columns: Columns, judge: Judge = lambda _name, _value: None, most_bytes: int = 0) -> None:
        """`most_bytes` bounds the file; 0: unbounded."""
        self._columns, self._judge, self._most_bytes = columns, judge, most_bytes
        self._expired_s = 0.0
        self.raw_keep_s = float(RAW.keep_s)

    def look(self, database: sqlite3.Connection, now_s: float) -> None:
        """Whatever is due at `now_s` (Unix time)."""
        self._advance(database, MINUTE, RAW, now_s)
        self._advance(database, HOUR, MINUTE, now_s)
        if now_s - self._expired_s >= EXPIRE_S or now_s < self._expired_s:
            self._expired_s = now_s
            self._expire(database, now_s)

    def _advance(self, database: sqlite3.Connection, grain: Grain, finer: Grain, now_s: float) -> None:
        step_ms = grain.step_s * 1000
        last = int((now_s - LATE_S) * 1000) // step_ms * step_ms
        row = database.execute("SELECT at FROM mark WHERE name = ?", (grain.name,)).fetchone()
        if row is None:
            first = database.execute(f"SELECT min(at) FROM {finer.name}").fetchone()[0]
            begin = last if first is None else int(first) // step_ms * step_ms
        else:
            begin = min(int(row[0]), last)  # a clock that went back
        begin = max(begin, last - finer.keep_s * 1000)
        if begin >= last and row is not None:
            return
        until = min(last, begin + MOST_STEPS * step_ms)
        self._sum(database, grain, finer, begin, until, step_ms)
        database.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (grain.name, until))

    def _sum(
        self, database: sqlite3.Connection, grain: Grain, finer: Grain, begin: int, until: int, step_ms: int
    ) -> None:
        if begin >= until:
            return
        width = len(self._columns.names)
        kept: dict[tuple[int, str], list[int]] = {}
        for (device,) in database.execute("SELECT id FROM device").fetchall():
            rows = database.execute(
                f"SELECT at, packed FROM {finer.name} WHERE device = ? AND at >= ? AND at < ? ORDER BY at",
                (device, begin, until),
            ).fetchall()
            steps: dict[int, list[bytes]] = {}
            for at, packed in rows:
                steps.setdefault(at // step_ms * step_ms, []).append(packed)
            for at, blobs in steps.items():
                packed = summed(unpack(blobs, width)) if finer is RAW else merged(unpack(blobs, 3 * width))
                database.execute(f"INSERT OR REPLACE INTO {grain.name} VALUES (?, ?, ?)", (device, at, packed))
                if grain is MINUTE:
                    self._judged(packed, at, kept)
        for (day, budget), (met, judged) in kept.items():
            database.execute(
                "INSERT INTO kept VALUES (?, ?, ?, ?) ON CONFLICT (day, budget) DO UPDATE "
                "SET met = met + excluded.met, judged = judged + excluded.judged",
                (day, budget, met, judged),
            )

    def _judged(self, packed: bytes, at: int, kept: dict[tuple[int, str], list[int]]) -> None:
        day = at // 1000 // DAY_S
        for name, value in zip(self._columns.names, means(packed), strict=False):
            if value == value and (met := self._judge(name, float(value))) is not None:
                counts = kept.setdefault((day, name), [0, 0])
                counts[0] += met
                counts[1] += 1

    def _expire(self, database: sqlite3.Connection, now_s: float) -> None:
        bounds = {grain.name: float(grain.keep_s) for grain in GRAINS} | {"turn": float(TURNS_KEPT_S)}
        bounds |= {"raw": self._raw_bound(database), "line": float(LINE_KEPT_S)}
        devices = [device for (device,) in database.execute("SELECT id FROM device").fetchall()]
        self._delete(database, bounds, devices, now_s)
        database.execute("DELETE FROM audit WHERE at < ?", (int((now_s - LINE_KEPT_S) * 1000),))
        database.execute("DELETE FROM kept WHERE day < ?", (int(now_s) // DAY_S - 400,))

    def _delete(
        self, database: sqlite3.Connection, bounds: Mapping[str, float], devices: list[int], now_s: float
    ) -> None:
        for table, keep_s in bounds.items():
            oldest = int((now_s - keep_s) * 1000)
            database.executemany(
                f"DELETE FROM {table} WHERE device = ? AND at < ?", [(device, oldest) for device in devices]
            )

    def _raw_bound(self, database: sqlite3.Connection) -> float:
        """Seconds of raw rows that fit into the bound: shorter as long as the file is over it."""
        if self._most_bytes:
            used = (
                database.execute("PRAGMA page_count").fetchone()[0]
                - database.execute("PRAGMA freelist_count").fetchone()[0]
            )
            if used * database.execute("PRAGMA page_size").fetchone()[0] > self._most_bytes:
                self.raw_keep_s = max(600.0, self.raw_keep_s * TIGHTER)
        return self.raw_keep_s


def local_days(count: int, now_s: float | None = None) -> list[int]:
    """Numbers of the last `count` days (UTC), today last."""
    today = int(time.time() if now_s is None else now_s) // DAY_S
    return list(range(today - count + 1, today + 1))
