"""In: rows of the loop. Out: the same on the disk at most a second later, in one transaction a batch. One thread."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.hub.store.database import Condition, StoreStanding
from appliance.hub.store.rollup import Rollup

log = logging.getLogger(__name__)

FLUSH_S = 1.0
MOST_WAITING = 50_000
MOST_BATCH = 20_000
AGAIN_S = 30.0
"""After an error of the disk, so long nothing is tried."""


@dataclass(frozen=True, slots=True)
class Row:
    """One statement and its values; rows of one statement are written together."""

    sql: str
    values: tuple[Any, ...]


class Writer:
    """The only one who writes. `put` never blocks; what does not fit is counted and thrown away."""

    def __init__(
        self, database: sqlite3.Connection, standing: StoreStanding, rollup: Rollup,
        before: Callable[[], Sequence[Row]] = tuple, wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`before` gives rows that a batch needs first (new devices, new columns)."""
        self.standing, self.database = standing, database
        self._rollup, self._before, self._wall = rollup, before, wall
        self._waiting: queue.Queue[Row | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._not_before_s = 0.0

    def start(self) -> None:
        self._thread.start()

    def put(self, row: Row) -> None:
        try:
            self._waiting.put_nowait(row)
        except queue.Full:
            self.standing.dropped += 1

    def close(self) -> None:
        """Writes what waits and ends the thread. Blocks for a moment."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(10.0)
        self.database.close()

    def _run(self) -> None:
        over = False
        while not over:
            batch: list[Row] = []
            until_s = time.monotonic() + FLUSH_S
            while len(batch) < MOST_BATCH and (left_s := until_s - time.monotonic()) > 0:
                try:
                    row = self._waiting.get(timeout=left_s)
                except queue.Empty:
                    break
                if row is None:
                    over = True
                    break
                batch.append(row)
            self.write(batch)

    def write(self, batch: Sequence[Row]) -> None:
        """One transaction, and the sums and expiry that are due. An error of the disk loses the batch and is told."""
        if time.monotonic() < self._not_before_s:
            self.standing.dropped += len(batch)
            return
        try:
            self.database.execute("BEGIN IMMEDIATE")
            try:
                for row in self._before():
                    self.database.execute(row.sql, row.values)
                by_sql: dict[str, list[tuple[Any, ...]]] = {}
                for row in batch:
                    by_sql.setdefault(row.sql, []).append(row.values)
                for sql, rows in by_sql.items():
                    self.database.executemany(sql, rows)
                self._rollup.look(self.database, self._wall())
                self.database.execute("COMMIT")
            except BaseException:
                self.database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            self._failed(error, len(batch))
            return
        self.standing.written += len(batch)
        self.standing.size_bytes = self._size()
        if self.standing.condition is Condition.FULL:
            self.standing.condition, self.standing.sentence = Condition.OK, ""

    def _failed(self, error: sqlite3.Error, lost: int) -> None:
        self.standing.dropped += lost
        self._not_before_s = time.monotonic() + AGAIN_S
        if self.standing.condition is Condition.OK:
            log.warning("history: nothing is kept for now: %s", error)
        self.standing.condition = Condition.FULL
        self.standing.sentence = f"History is not kept for now: {error}. It is tried again every {AGAIN_S:.0f} s."

    def _size(self) -> int:
        pages: int = self.database.execute("PRAGMA page_count").fetchone()[0]
        size: int = self.database.execute("PRAGMA page_size").fetchone()[0]
        return pages * size
