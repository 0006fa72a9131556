"""In: nothing but an open database. Out: its tables as this version wants them. The only place that writes SQL schema.

A row of a grain is one device at one time with all its columns packed into one blob (`packing.py`): ten thousand devices
make a thousand rows a second instead of sixty thousand.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance.errors import ApplianceError


@dataclass(frozen=True, slots=True)
class Grain:
    """One resolution of the history."""

    name: str
    """Of its table."""
    step_s: int
    """Between two rows of a device; 0: as they come."""
    keep_s: int
    """Rows older than this are thrown away."""


DAY_S = 86400
RAW = Grain("raw", 0, DAY_S)
MINUTE = Grain("minute", 60, 31 * DAY_S)
HOUR = Grain("hour", 3600, 731 * DAY_S)
GRAINS = (RAW, MINUTE, HOUR)
TURNS_KEPT_S = 31 * DAY_S
LINE_KEPT_S = 366 * DAY_S
"""Of the time line and of the audit log."""

_FIRST = """
CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE columns (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE raw (device INTEGER, at INTEGER, packed BLOB NOT NULL, PRIMARY KEY (device, at)) WITHOUT ROWID;
CREATE TABLE minute (device INTEGER, at INTEGER, packed BLOB NOT NULL, PRIMARY KEY (device, at)) WITHOUT ROWID;
CREATE TABLE hour (device INTEGER, at INTEGER, packed BLOB NOT NULL, PRIMARY KEY (device, at)) WITHOUT ROWID;
CREATE TABLE turn (device INTEGER, at INTEGER, turn TEXT, body TEXT NOT NULL, PRIMARY KEY (device, at, turn)) WITHOUT ROWID;
CREATE TABLE line (device INTEGER, at INTEGER, kind TEXT NOT NULL, text TEXT NOT NULL, severity TEXT);
CREATE INDEX line_at ON line (device, at);
CREATE TABLE audit (at INTEGER, who TEXT NOT NULL, device TEXT NOT NULL, command TEXT NOT NULL, args TEXT NOT NULL,
    ok INTEGER NOT NULL, result TEXT NOT NULL, took_ms REAL);
CREATE INDEX audit_at ON audit (at);
CREATE TABLE kept (day INTEGER, budget TEXT, met INTEGER NOT NULL, judged INTEGER NOT NULL, PRIMARY KEY (day, budget))
    WITHOUT ROWID;
CREATE TABLE mark (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
"""
"""All `at` are milliseconds of Unix time by the hub's clock."""

MIGRATIONS = (_FIRST,)
"""Number n brings a database of version n to version n + 1; appended to, never changed."""


class NewerDatabaseError(ApplianceError, OSError):
    """The file was written by a newer hub."""


def migrate(database: sqlite3.Connection) -> int:
    """Brings the tables up to this version, each step in a transaction of its own. Returns the version found.

    Raises NewerDatabaseError, sqlite3.DatabaseError.
    """
    found: int = database.execute("PRAGMA user_version").fetchone()[0]
    if found > len(MIGRATIONS):
        raise NewerDatabaseError(
            "newer-database", f"The history has version {found}; this hub knows {len(MIGRATIONS)}. Update the hub."
        )
    for version in range(found, len(MIGRATIONS)):
        database.executescript(f"BEGIN;{MIGRATIONS[version]}PRAGMA user_version = {version + 1};COMMIT;")
    return found
