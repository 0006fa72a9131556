"""In: a hub's folder. Out: a copy of its history in one file while it runs, and the way back from one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.errors import UsageError
from appliance.hub.store.database import FILE, connect
from appliance.hub.store.tables import migrate

PAGES = 1000
"""Copied at once: a running hub writes in between."""


def backup(folder: Path, target: Path) -> int:
    """Copies the history into `target`, whole and checked; a running hub is not disturbed. Returns its bytes.

    Raises UsageError with one sentence.
    """
    file = folder / FILE
    if not file.is_file():
        raise UsageError("no-history", f"There is no history in {folder}.")
    if target.exists():
        raise UsageError("exists", f"{target} is there already.")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with closing(connect(file, read_only=True)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy, pages=PAGES)
            _check(copy)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(target)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise UsageError("no-backup", f"{target} could not be written: {error}.") from error
    return target.stat().st_size


def restore(folder: Path, source: Path) -> None:
    """Puts a copy in place of the folder's history; the one that was there is kept beside it. The hub must not run.

    Raises UsageError with one sentence: nothing was changed then.
    """
    if not source.is_file():
        raise UsageError("no-backup", f"There is no file {source}.")
    file = folder / FILE
    part = file.with_name(FILE + ".restored")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if file.exists():
            _alone(file)
        part.unlink(missing_ok=True)
        before = f"{source.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(before, uri=True)) as old, closing(sqlite3.connect(part)) as copy:
            _check(old)
            old.backup(copy)
            migrate(copy)
        for end in ("-wal", "-shm"):
            file.with_name(FILE + end).unlink(missing_ok=True)
        if file.exists():
            file.replace(file.with_name(FILE + ".before-restore"))
        part.replace(file)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise UsageError("no-restore", f"{source} cannot be taken: {error}.") from error


def _alone(file: Path) -> None:
    """Raises UsageError while a hub has the history open."""
    try:
        with closing(connect(file)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise UsageError("hub-runs", f"{file} is in use: the hub runs. Stop it first.") from error
    except sqlite3.DatabaseError:
        return  # damaged: a good copy is what it needs


def _check(database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if found != "ok" or "raw" not in tables:
        raise sqlite3.DatabaseError("it is no history of a hub, or a damaged one")
