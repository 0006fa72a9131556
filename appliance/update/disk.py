"""In: changes to files. Out: the same on the disk, and a way to say what must outlast a power cut.

The updater writes through this seam alone; a test puts a file system in its place that forgets what was not synced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

SYNC_S = 300.0
"""A slow card with 500 MB of a release not yet written."""


class Disk(Protocol):
    """File operations. Only what was synced outlasts a power cut: content by its file, names by their folder."""

    def read(self, path: Path) -> bytes: ...
    def write(self, path: Path, data: bytes) -> None: ...
    def copy(self, source: Path, target: Path) -> None: ...
    def make_folder(self, path: Path) -> None: ...
    def link(self, path: Path, target: str) -> None: ...
    def target(self, path: Path) -> str | None: ...
    def rename(self, source: Path, target: Path) -> None: ...
    def remove(self, path: Path) -> None: ...
    def names(self, folder: Path) -> list[str]: ...
    def is_file(self, path: Path) -> bool: ...
    def is_folder(self, path: Path) -> bool: ...
    def sync_file(self, path: Path) -> None: ...
    def sync_folder(self, path: Path) -> None: ...
    def sync_tree(self, path: Path) -> None: ...


class RealDisk:
    """The machine's own."""

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)

    def copy(self, source: Path, target: Path) -> None:
        """With owner, mode and times."""
        shutil.copy2(source, target)
        about = source.stat()
        os.chown(target, about.st_uid, about.st_gid)

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def link(self, path: Path, target: str) -> None:
        path.symlink_to(target)

    def target(self, path: Path) -> str | None:
        return str(path.readlink()) if path.is_symlink() else None

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def remove(self, path: Path) -> None:
        """A file, a link, or a folder with all in it; what is not there is no error."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def names(self, folder: Path) -> list[str]:
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def is_file(self, path: Path) -> bool:
        return path.is_file() and not path.is_symlink()

    def is_folder(self, path: Path) -> bool:
        return path.is_dir() and not path.is_symlink()

    def sync_file(self, path: Path) -> None:
        _fsync(path, os.O_RDONLY)

    def sync_folder(self, path: Path) -> None:
        _fsync(path, os.O_RDONLY | os.O_DIRECTORY)

    def sync_tree(self, path: Path) -> None:
        """syncfs(2): one call, not an fsync for each of 10,000 files. coreutils' sync tells of errors, os.sync does not."""
        subprocess.run(["sync", "--file-system", str(path)], check=True, timeout=SYNC_S, stdin=subprocess.DEVNULL)


def write_whole(disk: Disk, path: Path, data: bytes) -> None:
    """`path` holds its old content or `data`, whenever the power goes; when this returns, `data`."""
    part = path.with_name(path.name + ".part")
    disk.write(part, data)
    disk.sync_file(part)
    disk.rename(part, path)
    disk.sync_folder(path.parent)


def remove_whole(disk: Disk, path: Path) -> None:
    """`path` is gone when this returns, for good."""
    disk.remove(path)
    disk.sync_folder(path.parent)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
