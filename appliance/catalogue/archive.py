"""In: a .tar.bz2 and the members wanted from it. Out: those members as files, and nothing else of the archive."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from appliance.catalogue.entry import File
from appliance.errors import ModelError

LARGEST_MEMBER_BYTES = 1 << 30
"""Bound for members whose size the catalogue does not know; the biggest voice unpacks to 78 MB."""

Keep = Callable[[File, IO[bytes]], None]


def extract(archive: Path, wanted: Mapping[str, File], keep: Keep) -> None:
    """Hands every wanted member to `keep` as a stream. No path of the archive is ever used for writing.

    Raises ModelError where a member is missing, ambiguous or too big, or the archive is damaged.
    """
    found: dict[str, str] = {}
    try:
        with tarfile.open(archive, "r|*") as tar:
            for info in tar:
                base = PurePosixPath(info.name).name
                for role, file in wanted.items():
                    if not info.isreg() or base.startswith(".") or not fnmatchcase(base, file.member or ""):
                        continue
                    if role in found:
                        raise ModelError("bad-archive", f"{archive.name}: '{found[role]}' and '{info.name}' both fit.")
                    if info.size > (file.size or LARGEST_MEMBER_BYTES):
                        raise ModelError("bad-archive", f"{archive.name}: {info.name} is bigger than it should be.")
                    found[role] = info.name
                    stream = tar.extractfile(info)
                    assert stream is not None  # a regular file has one
                    keep(file, stream)
    except (tarfile.TarError, EOFError) as error:
        raise ModelError("bad-archive", f"{archive.name} is damaged: {error}.") from error
    for role, file in wanted.items():
        if role not in found:
            raise ModelError("bad-archive", f"{archive.name} holds no {file.member}.")
