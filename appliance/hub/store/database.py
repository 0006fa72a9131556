"""In: the hub's folder. Out: the open history, or a new one beside the damaged one, and how it stands, in plain words."""

from __future__ import annotations

import logging
import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.hub.store.tables import NewerDatabaseError, migrate

log = logging.getLogger(__name__)

FILE = "history.db"
BUSY_S = 5.0


class Condition(StrEnum):
    """How the history is."""

    OK = "ok"
    MOVED_ASIDE = "moved_aside"
    """The old file was damaged: it lies beside a new one."""
    FULL = "full"
    """No room: nothing is kept now."""
    READ_ONLY = "read_only"
    """The folder cannot be written: nothing is kept."""


@dataclass(slots=True)
class StoreStanding:
    """Told on the page and by /health; read from any thread."""

    condition: Condition = Condition.OK
    sentence: str = ""
    written: int = 0
    """Rows on the disk since the start."""
    dropped: int = 0
    """Rows thrown away: the queue was full, or the disk."""
    size_bytes: int = 0


def connect(file: Path, read_only: bool = False) -> sqlite3.Connection:
    """One connection, for one thread at a time. WAL: readers never hold the writer up; a kill loses no transaction.

    Raises sqlite3.DatabaseError.
    """
    where = f"{file.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    database = sqlite3.connect(where, uri=True, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
    if not read_only:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA journal_size_limit = 16777216")
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
    database.execute("PRAGMA cache_size = -8192")
    return database


def open_history(folder: Path, standing: StoreStanding) -> sqlite3.Connection:
    """The history of a folder, as good as it can be had: a damaged file is moved aside, a read-only folder is told.

    Never raises for what is on the disk; in the worst case the history lives in memory until the hub ends.
    """
    file = folder / FILE
    try:
        return _checked(file)
    except NewerDatabaseError as error:
        log.warning("history: %s", error.message)
        standing.condition, standing.sentence = Condition.READ_ONLY, f"{error.message} Nothing is kept until then."
    except sqlite3.OperationalError as error:
        log.warning("history: %s cannot be written: %s", file, error)
        standing.condition = Condition.READ_ONLY
        standing.sentence = f"History is not kept: {file} cannot be written ({error})."
    except sqlite3.DatabaseError as error:
        aside = folder / f"{FILE}.damaged-{time.time():.0f}"
        log.warning("history: %s is damaged (%s); it is now %s", file, error, aside.name)
        try:
            for end in ("-wal", "-shm"):
                file.with_name(file.name + end).unlink(missing_ok=True)
            file.rename(aside)
            database = _checked(file)
        except (OSError, sqlite3.DatabaseError) as again:
            standing.condition = Condition.READ_ONLY
            standing.sentence = f"History is not kept: {file} is damaged and cannot be replaced ({again})."
        else:
            standing.condition = Condition.MOVED_ASIDE
            standing.sentence = f"The history was damaged and lies beside as {aside.name}; a new one began."
            return database
    database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    migrate(database)
    return database


def _checked(file: Path) -> sqlite3.Connection:
    database = connect(file)
    try:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(str(found)[:200])
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database
