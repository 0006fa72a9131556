"""In: a model of the catalogue, a mirror or the network. Out: its checked folder in the store, or one sentence.

Nothing half is ever visible: files gather in a hidden folder, which moves to its place when all of them are checked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from appliance.catalogue.archive import extract
from appliance.catalogue.download import BACK_OFF_S, CHUNK_BYTES, Progress, download
from appliance.catalogue.entry import Archive, Entry, File
from appliance.catalogue.mirror import Mirror
from appliance.catalogue.stamp import Stamp, sha256_of
from appliance.catalogue.store import Store
from appliance.catalogue.vocabulary import vocabulary_of
from appliance.errors import ModelError
from appliance.wire.child import ModelFile

STAGING = ".fetch"
UNPACKED_RATIO = 2
"""Room for an archive and what is kept of it, in archive sizes: INT8 weights hardly compress."""


def no_progress(name: str, done_bytes: int, total_bytes: int | None) -> None:
    """For callers that show none."""


def fetch(
    entry: Entry, store: Store, mirror: Mirror | None, progress: Progress = no_progress, back_off_s: float = BACK_OFF_S
) -> ModelFile:
    """The model, fetched unless it is here and whole. Blocks.

    With a mirror nothing is asked of the network. Raises ModelError: unreachable (what came is kept for resuming),
    wrong size or hash (that file is removed), full disk (all that was fetched is removed).
    """
    try:
        with _alone(store.root):
            if store.has(entry):
                try:
                    return store.open(entry)
                except ModelError:
                    pass  # damaged: what is wrong is replaced below
            staging = store.root / STAGING / entry.name
            staging.mkdir(parents=True, exist_ok=True)
            try:
                _check_space(entry, store.root, staging)
                _Fetch(entry, staging, store.folder(entry), mirror, progress, back_off_s).all_files()
                _install(staging, store.folder(entry))
            except OSError:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            return store.open(entry)
    except OSError as error:
        raise _disk_error(entry, store.root, error) from error


class _Fetch:
    """One fetch of one model into its staging folder."""

    def __init__(
        self, entry: Entry, staging: Path, place: Path, mirror: Mirror | None, progress: Progress, back_off_s: float
    ) -> None:
        self._entry, self._staging, self._place = entry, staging, place
        self._mirror, self._back_off_s = mirror, back_off_s
        self._report = progress

    def _progress(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        self._report(f"{self._entry.name}/{name}", done_bytes, total_bytes)

    def all_files(self) -> None:
        missing = {role: file for role, file in self._entry.files.items() if not self._kept(file)}
        packed = {role: file for role, file in missing.items() if self._is_packed(file)}
        for role, file in missing.items():
            if role not in packed and file.derived_from is None:
                self._single(file)
        if packed:
            self._archive(packed)
        for file in missing.values():
            if file.derived_from is not None:
                self._derive(file, self._entry.files[file.derived_from])

    def _kept(self, file: File) -> bool:
        """Whether an earlier fetch, or the damaged model, has this file whole."""
        staged, placed = self._staging / file.name, self._place / file.name
        if file.sha256 is None:
            return False
        for path in (staged, placed):
            if path.is_file() and sha256_of(path) == file.sha256:
                if path is placed:
                    shutil.copyfile(placed, staged)
                _stamp(staged, file.sha256)
                return True
        return False

    def _is_packed(self, file: File) -> bool:
        return file.member is not None and not (self._mirror and self._mirror.find(self._entry, file))

    def _single(self, file: File) -> None:
        part = self._staging / f"{file.name}.part"
        if self._mirror is not None:
            source = self._mirror.find(self._entry, file)
            if source is None:
                raise ModelError(
                    "not-in-mirror", f"The mirror {self._mirror.root} lacks {file.name} of {self._entry.name}."
                )
            self._copy(source, part, file.size)
            origin = str(source)
        elif file.url is not None:
            download(file.url, part, file.size, self._progress, self._back_off_s)
            origin = file.url
        else:
            raise ModelError(
                "mirror-only", f"{self._entry.name} is published nowhere; name a folder that has it with --mirror DIR."
            )
        _accept(part, file.size, file.sha256, origin)

    def _archive(self, wanted: dict[str, File]) -> None:
        archive = self._entry.archive
        assert archive is not None  # Entry's validator
        if self._mirror is not None:
            path = self._mirror.find_archive(self._entry, archive)
            if path is None:
                raise ModelError("not-in-mirror", f"The mirror {self._mirror.root} lacks {archive.name}.")
            _check_hash(path, archive.size, archive.sha256, str(path))
        else:
            path = self._download_archive(archive)
        extract(path, wanted, self._unpack)
        if self._mirror is None:
            path.unlink()

    def _download_archive(self, archive: Archive) -> Path:
        path = self._staging / archive.name
        if not path.exists():
            part = self._staging / f"{archive.name}.part"
            download(archive.url, part, archive.size, self._progress, self._back_off_s)
            _accept(part, archive.size, archive.sha256, archive.url)
        return path

    def _unpack(self, file: File, stream: IO[bytes]) -> None:
        part = self._staging / f"{file.name}.part"
        with part.open("wb") as out:
            shutil.copyfileobj(stream, out, CHUNK_BYTES)
        _accept(part, file.size, file.sha256, f"{file.name} in the archive")

    def _derive(self, file: File, source: File) -> None:
        part = self._staging / f"{file.name}.part"
        given = self._mirror.find(self._entry, file) if self._mirror else None
        if given is not None and file.sha256 is not None:
            self._copy(given, part, file.size)
        else:
            part.write_bytes(vocabulary_of((self._staging / source.name).read_bytes()))
        _accept(part, file.size, file.sha256, f"{file.name} made from {source.name}")

    def _copy(self, source: Path, part: Path, size: int | None) -> None:
        with source.open("rb") as read, part.open("wb") as write:
            done = 0
            while chunk := read.read(CHUNK_BYTES):
                write.write(chunk)
                done += len(chunk)
                self._progress(source.name, done, size)


def _accept(part: Path, size: int | None, sha256: str | None, origin: str) -> None:
    """Gives a part file its name once size and hash are right; removes it where they are not."""
    try:
        found = _check_hash(part, size, sha256, origin)
    except ModelError:
        part.unlink()
        raise
    with part.open("rb") as stream:
        os.fsync(stream.fileno())  # a power cut must not leave the name without the bytes
    whole = part.with_name(part.name.removesuffix(".part"))
    part.replace(whole)
    _stamp(whole, found)


def _stamp(path: Path, sha256: str) -> None:
    """Remembers the hash beside the file; moving the folder keeps size, time and inode."""
    stamp = Stamp(path.parent)
    stamp.put(path, sha256)
    stamp.write()


def _check_hash(path: Path, size: int | None, sha256: str | None, origin: str) -> str:
    length = path.stat().st_size
    if size is not None and length != size:
        raise ModelError("wrong-size", f"{origin} has {length} bytes; the catalogue says {size}.")
    found = sha256_of(path)
    if sha256 is not None and found != sha256:
        raise ModelError("wrong-hash", f"{origin} has another SHA-256 than the catalogue says; it was not installed.")
    return found


def _check_space(entry: Entry, root: Path, staging: Path) -> None:
    plain = sum(file.size or 0 for file in entry.files.values())
    packed = entry.archive.size * UNPACKED_RATIO if entry.archive else 0
    needed = max(plain, packed) - sum(path.stat().st_size for path in staging.iterdir())
    free = shutil.disk_usage(root).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free")


def _install(staging: Path, place: Path) -> None:
    """Moves checked files to their place: the whole folder at once, or file by file into a damaged one."""
    if not place.exists():
        staging.replace(place)
        return
    for path in staging.iterdir():
        path.replace(place / path.name)
    staging.rmdir()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Only one fetch at a time in a store; a second one waits."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _disk_error(entry: Entry, root: Path, error: OSError) -> ModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        why = error.strerror if error.strerror and "MB" in error.strerror else "no space left"
        return ModelError(
            "disk-full", f"There is no room for {entry.name} in {root} ({why}); make room and fetch again."
        )
    return ModelError("unwritable", f"{entry.name} cannot be kept in {root}: {error.strerror or error}.")
