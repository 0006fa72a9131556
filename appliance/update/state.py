"""In: the state before and after an update. Out: going back loses nothing: what only a newer release reads is kept aside.

Timers, outbox and levels that the older release can read stay as they are, with all that happened since.
"""

from __future__ import annotations

import json
from pathlib import Path

from appliance.update.disk import Disk
from appliance.update.layout import Layout

KINDS = (".json", ".sqlite", ".toml")
BESIDE = ("-wal", "-shm")
"""SQLite's own files beside a database; they go with it."""
ASIDE = "aside"
SQLITE = b"SQLite format 3\x00"
USER_VERSION_AT = 60
"""Offset of user_version in an SQLite file, four bytes, big-endian (sqlite.org/fileformat2.html)."""


def kept(disk: Disk, folder: Path) -> list[str]:
    """The state's own files; models and caches are folders and can be had again."""
    return [
        name
        for name in disk.names(folder)
        if name.endswith((*KINDS, *BESIDE)) and not name.startswith(".") and disk.is_file(folder / name)
    ]


def keep_copies(disk: Disk, layout: Layout) -> None:
    """Copies the state to the updater's records. The service stands still meanwhile, so that a database is whole."""
    disk.remove(layout.before)
    disk.make_folder(layout.before)
    for name in kept(disk, layout.state):
        disk.copy(layout.state / name, layout.before / name)
        disk.sync_file(layout.before / name)
    disk.sync_folder(layout.before)
    disk.sync_folder(layout.records)


def go_back(disk: Disk, layout: Layout, version: str) -> list[str]:
    """Puts back what the older release could not read of what `version` left; that is kept under aside/<version>.

    May be repeated after a power cut at any point: a file is put aside by its copy, synced, before it is replaced.
    """
    put_back = []
    for name in disk.names(layout.before):
        if name.endswith(BESIDE):
            continue
        live, before = layout.state / name, layout.before / name
        data = disk.read(live) if disk.is_file(live) else None
        if data is not None and readable(name, data, disk.read(before)):
            continue
        _put_aside(disk, layout, version, name)
        for beside in BESIDE:
            disk.remove(layout.state / (name + beside))
        for each in (name + beside for beside in BESIDE if disk.is_file(layout.before / (name + beside))):
            disk.copy(layout.before / each, layout.state / each)
            disk.sync_file(layout.state / each)
        part = layout.state / (name + ".part")
        disk.copy(before, part)
        disk.sync_file(part)
        disk.rename(part, live)
        put_back.append(name)
    if put_back:
        disk.sync_folder(layout.state)
    return put_back


def _put_aside(disk: Disk, layout: Layout, version: str, name: str) -> None:
    folder = layout.state / ASIDE / version
    for each in (name, *(name + beside for beside in BESIDE)):
        if disk.is_file(layout.state / each) and not disk.is_file(folder / each):
            disk.make_folder(folder)
            disk.copy(layout.state / each, folder / each)
            disk.sync_file(folder / each)
            disk.sync_folder(folder)
            disk.sync_folder(folder.parent)


def readable(name: str, data: bytes, before: bytes) -> bool:
    """Whether a release that wrote `before` can read `data`: whole, and of no newer format."""
    if name.endswith(".json"):
        old, new = _json_version(before), _json_version(data)
        return new is not None and (old is None or new <= old)
    if name.endswith(".sqlite"):
        old, new = _sqlite_version(before), _sqlite_version(data)
        return new is not None and (old is None or new <= old)
    return True


def _json_version(data: bytes) -> int | None:
    """The 'version' of a table, 0 without one; None where it is not JSON."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    version = found.get("version", 0) if isinstance(found, dict) else 0
    return version if isinstance(version, int) else 0


def _sqlite_version(data: bytes) -> int | None:
    if not data:
        return 0  # a database that was opened and not yet written
    if not data.startswith(SQLITE) or len(data) < USER_VERSION_AT + 4:
        return None
    return int.from_bytes(data[USER_VERSION_AT : USER_VERSION_AT + 4], "big")
