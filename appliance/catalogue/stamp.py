"""In: model files. Out: a memory of which were hashed, so that a start-up need not hash hundreds of megabytes."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.files import Damaged, parse_json, read_text

STAMP_NAME = "stamp.json"


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, hexadecimal. Blocks; about 1 s for 500 MB on x86."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Stamp:
    """Size, time of change, inode and hash of the files of one folder, kept in `stamp.json` within it.

    A file counts as unchanged while size, mtime (ns) and inode are those of the moment it was hashed. That finds
    truncation, replacement and copying; silent rot of the medium is what `appliance models verify` is for.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / STAMP_NAME
        self._rows = self._read()
        self._changed = False

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            rows = parse_json(read_text(self._file))
        except (OSError, Damaged):  # no memory of a hash costs a hash
            return {}
        return rows if isinstance(rows, dict) else {}

    def unchanged(self, file: Path) -> str | None:
        """The hash of `file` if it has not changed since it was stamped, else None."""
        row = self._rows.get(file.name)
        if not isinstance(row, dict) or any(row.get(key) != value for key, value in _facts(file).items()):
            return None
        return str(row.get("sha256"))

    def recorded(self, file: Path) -> str | None:
        """The hash that `file` had when it was stamped, whatever happened to it since."""
        row = self._rows.get(file.name)
        return str(row["sha256"]) if isinstance(row, dict) and "sha256" in row else None

    def put(self, file: Path, sha256: str) -> None:
        """Remembers `file` as it is now."""
        self._rows[file.name] = {**_facts(file), "sha256": sha256}
        self._changed = True

    def write(self) -> None:
        """Writes atomically, if anything changed. A read-only folder costs a hash at every start, nothing else."""
        if not self._changed:
            return
        part = self._file.with_name(f"{STAMP_NAME}.{os.getpid()}")
        try:
            part.write_text(json.dumps(self._rows, indent=1), encoding="utf-8")
            part.replace(self._file)
            self._changed = False
        except OSError:
            with suppress(OSError):
                part.unlink()


def _facts(file: Path) -> dict[str, int]:
    stat = file.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "inode": stat.st_ino}
