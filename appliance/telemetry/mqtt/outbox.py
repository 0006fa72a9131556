"""In: messages that must arrive. Out: the same, oldest first, until the broker took them; bounded, drops counted.

Kept in memory while the broker is there. What must survive a restart (turns, alerts, button events) is written to a
small SQLite file only when it had to wait, so that an SD card sees no write on a healthy day.
"""

from __future__ import annotations

import heapq
import json
import logging
import sqlite3
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.files import Damaged, number, parse_json, table, text

log = logging.getLogger(__name__)

EXPENDABLE = ("metrics", "event", "turn", "button")
"""Kinds that may be dropped for want of room, the first to go first. An alert never is; of one that changed several times
while nobody listened, the older grades go last of all: what holds arrives whatever happens, and room stays bounded."""
DURABLE = ("turn", "alert", "button")
"""Kinds that survive a restart."""
RECENT_S = 5.0
"""So long a durable message is remembered after the broker took it, and sent again if the connection breaks meanwhile:
a broker that is killed forgets what it acknowledged since its last save (Mosquitto: `autosave_interval`). Receivers
drop the repeat by its id."""
MOST_RECENT = 2000
KINDS = ("metrics", "event", "turn", "alert", "button")
MOST_ROWS, MOST_SEQ, MOST_TOPIC = 100_000, 2**62, 1024
"""Of the file: more is no file of ours."""


@dataclass(slots=True)
class Entry:
    """One message on its way."""

    seq: int
    """Order of making; grows over restarts."""
    kind: str
    topic: str
    body: dict[str, Any]
    """Without `at` while it was made in this run: the time is put in when it is sent, from a clock set by then."""
    retain: bool = False
    made_s: float | None = None
    """Monotonic time; None for one of an earlier run, whose body has its time."""
    size: int = 0
    """Bytes, roughly."""
    saved: bool = False
    cleared: bool = False
    """The payload is empty: a retained message is taken back."""

    def payload(self) -> bytes:
        """JSON, with the wall time at which it was made."""
        return b"" if self.cleared else encode(self.dated())

    def dated(self) -> dict[str, Any]:
        if self.made_s is None:
            return self.body
        return {**self.body, "at": round(time.time() - (time.monotonic() - self.made_s), 3)}


def encode(body: dict[str, Any]) -> bytes:
    """Compact JSON in UTF-8; NaN and infinity are errors, missing values are null; half a
    character (a lone surrogate that came from outside) becomes '?', because no reply is worth an exception."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(slots=True)
class Outbox:
    """Messages waiting. For one thread; `save` alone may run on another."""

    most: int
    most_bytes: int
    run: str
    """Names this run in ids: `<run>-<seq>`."""
    dropped: Counter[str] = field(default_factory=Counter)
    """By kind: for want of room."""
    bytes: int = 0
    _seq: int = 0
    _recent: deque[tuple[float, Entry]] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    _waiting: dict[str, OrderedDict[int, Entry]] = field(default_factory=lambda: {k: OrderedDict() for k in KINDS})

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def put(self, kind: str, topic: str, body: dict[str, Any], retain: bool = False, cleared: bool = False) -> Entry:
        """Takes a message; what is over the bounds goes, by EXPENDABLE and age. Gives it version and id."""
        self._seq += 1
        body = {"v": 1, "id": f"{self.run}-{self._seq}", **body}
        entry = Entry(self._seq, kind, topic, body, retain, time.monotonic(), 0, False, cleared)
        entry.size = len(topic) + len(entry.payload())
        self._add(entry)
        self._shrink()
        return entry

    def restore(self, entries: Iterable[Entry]) -> None:
        """Takes over what an earlier run left; before anything else is put."""
        for entry in entries:
            self._seq = max(self._seq, entry.seq)
            self._add(entry)
        self._shrink()

    def next(self, after: int = 0) -> Entry | None:
        """The oldest with a number above `after`; None where there is none."""
        for entry in self.waiting():
            if entry.seq > after:
                return entry
        return None

    def waiting(self) -> Iterator[Entry]:
        """All, the oldest first."""
        return heapq.merge(*(queue.values() for queue in self._waiting.values()), key=lambda entry: entry.seq)

    def done(self, seq: int) -> Entry | None:
        """The broker took it."""
        entry = self._remove(seq)
        if entry is not None and entry.kind in DURABLE:
            now_s = time.monotonic()
            self._recent.append((now_s, entry))
            while now_s - self._recent[0][0] > RECENT_S:
                self._recent.popleft()
        return entry

    def doubt(self) -> int:
        """The connection broke: what the broker took just now waits again, in its old place. How many those are."""
        limit_s = time.monotonic() - RECENT_S
        doubted = [entry for at_s, entry in self._recent if at_s >= limit_s]
        self._recent.clear()
        for entry in doubted:
            self._add(entry)
        for kind in DURABLE:
            self._waiting[kind] = OrderedDict(sorted(self._waiting[kind].items()))
        self._shrink()
        return len(doubted)

    def _remove(self, seq: int) -> Entry | None:
        for queue in self._waiting.values():
            if (entry := queue.pop(seq, None)) is not None:
                self.bytes -= entry.size
                return entry
        return None

    def _add(self, entry: Entry) -> None:
        self._waiting[entry.kind][entry.seq] = entry
        self.bytes += entry.size

    def _shrink(self) -> None:
        while len(self) > self.most or self.bytes > self.most_bytes:
            kind = next((kind for kind in EXPENDABLE if self._waiting[kind]), "alert")
            seq = self._outdated() if kind == "alert" else next(iter(self._waiting[kind]))
            if seq is None:
                return
            self._remove(seq)
            self.dropped[kind] += 1

    def _outdated(self) -> int | None:
        """The oldest alert that a newer one of the same name has replaced; None where each is the newest of its name."""
        newest = {entry.topic: seq for seq, entry in self._waiting["alert"].items()}
        return next((seq for seq, entry in self._waiting["alert"].items() if seq != newest[entry.topic]), None)


def _entry(seq: Any, kind: Any, topic: Any, body: Any, retain: Any, cleared: Any) -> Entry:
    """A row of the file, checked: SQLite keeps any type in any column. Raises Damaged, UnicodeDecodeError."""
    words = {name: value.decode() for name, value in (("kind", kind), ("topic", topic)) if isinstance(value, bytes)}
    if len(words) < 2 or not isinstance(body, bytes) or words["kind"] not in KINDS:
        raise Damaged("a column is missing or of another type")
    name = text(words["topic"], MOST_TOPIC)
    if set(name) & set("#+\0"):
        raise Damaged("a topic to publish on has no wildcards")
    message = table(parse_json(body))
    number(seq, 1, MOST_SEQ)
    return Entry(seq, words["kind"], name, message, bool(retain), None, len(name) + len(body), True, bool(cleared))


@dataclass(slots=True)
class Keep:
    """The outbox's file. A broken one is put aside, a full disk is said once: neither stops anything."""

    path: Path
    complained: bool = False
    _saved: set[int] = field(default_factory=set)

    def load(self) -> list[Entry]:
        """What an earlier run left, oldest first. Blocks."""
        if not self.path.exists():
            return []
        return self._with(self._load) or []

    def save(self, waiting: Iterable[Entry]) -> None:
        """Makes the file hold exactly the durable ones of `waiting`; touches the disk only for a difference. Blocks."""
        wanted = {entry.seq: entry for entry in waiting if entry.kind in DURABLE}
        new = [entry for seq, entry in wanted.items() if seq not in self._saved]
        gone = self._saved - wanted.keys()
        if new or gone:
            self._with(lambda db: self._write(db, new, gone))

    def _load(self, db: sqlite3.Connection) -> list[Entry]:
        db.text_factory = bytes  # a text that is no UTF-8 must fail where it is checked, one row at a time
        rows = db.execute(
            "SELECT seq, kind, topic, body, retain, cleared FROM outbox ORDER BY seq LIMIT ?", (MOST_ROWS,)
        )
        entries, damaged = [], []
        for row in rows.fetchall():
            try:
                entries.append(_entry(*row))
            except (Damaged, UnicodeDecodeError) as error:
                damaged.append((row[0], error))
        if damaged:
            log.warning("%s: %d messages are damaged (%s) and dropped.", self.path, len(damaged), damaged[0][1])
            with db:
                db.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq, _ in damaged])
        self._saved = {entry.seq for entry in entries}
        return entries

    def _write(self, db: sqlite3.Connection, new: list[Entry], gone: set[int]) -> None:
        rows = [(e.seq, e.kind, e.topic, json.dumps(e.dated()), e.retain, e.cleared) for e in new]
        with db:
            db.executemany("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in gone])
        self._saved = (self._saved - gone) | {entry.seq for entry in new}

    def _with(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return self._open_and(work)
        except (sqlite3.Error, OSError, ValueError) as error:
            self._complain(error)
            return None

    def _open_and(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        db = sqlite3.connect(self.path, timeout=2.0)
        try:
            db.execute("PRAGMA auto_vacuum = FULL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, kind TEXT, topic TEXT, body TEXT,"
                " retain INTEGER, cleared INTEGER)"
            )
            return work(db)
        finally:
            db.close()

    def _complain(self, error: Exception) -> None:
        if not self.complained:
            log.warning("%s: messages cannot be kept over a restart (%s).", self.path, error)
        self.complained = True
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self._saved = set()
            try:
                self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
            except OSError:
                log.debug("%s cannot be put aside", self.path)
