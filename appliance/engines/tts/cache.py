"""In: pieces of speech under their keys. Out: the same samples later, from disk: least recently used go first.

An entry is a file: magic, rate, length and a checksum, then S16 samples. A power cut may leave a torn file; its checksum
gives it away, it is removed and the speech made again. Entries are written once (no fsync, atomic rename) and touched at most
once a day, to spare SD cards. Any trouble with the folder switches the disk off for a while, never the voice.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from appliance.engines.tts.protocol import Samples

LOG = logging.getLogger(__name__)

MAGIC = b"APH1"
_HEAD = struct.Struct("<4sII16s")
"""Magic, rate in hertz, bytes of audio, BLAKE2b-128 of rate and audio."""
SUFFIX = ".phrase"
PENDING_MOST = 32
"""Entries on their way to the disk; further ones are dropped and made again when asked for."""
TOUCH_S = 86400.0
RETRY_S = 60.0
"""After a failed write, this long without another try."""


def key_of(identity: tuple[str, ...], text: str) -> str:
    """Name of the entry for `text` spoken by the voice of this identity."""
    return hashlib.blake2b("\x00".join(("1", *identity, text)).encode(), digest_size=20).hexdigest()


class PhraseCache:
    """Speech on disk, at most `most_bytes` of it. For several threads; `get` reads the disk, `put` does not wait."""

    def __init__(self, folder: Path, most_bytes: int, rate_hz: int, clock: Callable[[], float] = time.time) -> None:
        """Reads the folder's entries (names and sizes only); 0 bytes means no cache. Never raises."""
        self._folder, self._most_bytes, self._rate_hz, self._clock = folder, most_bytes, rate_hz, clock
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._touched: dict[str, float] = {}
        self._pending: dict[str, Samples] = {}
        self._writer = ThreadPoolExecutor(1, "phrases")
        self._off_until_s = 0.0
        self.bytes = 0
        self.counters: dict[str, float] = dict.fromkeys(
            ("cache_hits", "cache_misses", "cache_broken", "cache_evicted", "cache_dropped", "cache_disk_errors"), 0.0
        )
        if most_bytes:
            self._scan()

    def get(self, key: str) -> Samples | None:
        """The samples under `key`, or None; a broken entry is removed and counts as none."""
        with self._lock:
            found = self._pending.get(key)
        if found is None and key in self._sizes:
            found = self._read(key)
        with self._lock:
            self.counters["cache_misses" if found is None else "cache_hits"] += 1
        return found

    def has(self, key: str) -> bool:
        """Whether an entry is there; whether it is whole shows when it is read."""
        with self._lock:
            return key in self._sizes or key in self._pending

    def put(self, key: str, samples: Samples) -> None:
        """Keeps a copy of `samples`; written by another thread."""
        size = _HEAD.size + 2 * len(samples)
        with self._lock:
            if not len(samples) or size > self._most_bytes // 4 or key in self._pending:
                return
            if len(self._pending) >= PENDING_MOST or time.monotonic() < self._off_until_s:
                self.counters["cache_dropped"] += 1
                return
            self._pending[key] = samples.copy()
        self._writer.submit(self._write, key)

    def flush(self) -> None:
        """Waits until what was put is on disk."""
        self._writer.submit(lambda: None).result()

    def close(self) -> None:
        """Finishes the writes that are under way."""
        self._writer.shutdown(wait=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _scan(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = []
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".tmp"):
                        Path(entry.path).unlink(missing_ok=True)
                    elif entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                        about = entry.stat(follow_symlinks=False)
                        found.append((about.st_mtime, entry.name.removesuffix(SUFFIX), about.st_size))
        except OSError as error:
            self._trouble(error)
            return
        for used_s, key, size in sorted(found):
            self._sizes[key], self._touched[key] = size, used_s
        self.bytes = sum(self._sizes.values())
        with self._lock:
            self._evict(0)

    def _read(self, key: str) -> Samples | None:
        try:
            data = self._path(key).read_bytes()
        except OSError:
            data = b""
        samples = self._unpacked(data)
        with self._lock:
            if samples is None:
                self.counters["cache_broken"] += 1
                self._forget(key)
            elif key in self._sizes:
                self._sizes.move_to_end(key)
                self._touch(key)
        return samples

    def _unpacked(self, data: bytes) -> Samples | None:
        if len(data) < _HEAD.size:
            return None
        magic, rate_hz, length, checksum = _HEAD.unpack_from(data)
        audio = data[_HEAD.size :]
        if (magic, rate_hz, length) != (MAGIC, self._rate_hz, len(audio)) or length % 2:
            return None
        return np.frombuffer(audio, "<i2") if self._checksum(audio) == checksum else None

    def _checksum(self, audio: bytes) -> bytes:
        return hashlib.blake2b(audio, digest_size=16, salt=struct.pack("<I", self._rate_hz)).digest()

    def _write(self, key: str) -> None:
        with self._lock:
            samples = self._pending[key]
        audio = samples.astype("<i2").tobytes()
        data = _HEAD.pack(MAGIC, self._rate_hz, len(audio), self._checksum(audio)) + audio
        part = self._folder / f"{key}.tmp"
        try:
            with self._lock:
                self._evict(len(data))
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(self._path(key))
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            self._trouble(error)
        else:
            with self._lock:
                self.bytes += len(data) - self._sizes.pop(key, 0)
                self._sizes[key], self._touched[key] = len(data), self._clock()
        finally:
            with self._lock:
                self._pending.pop(key, None)

    def _evict(self, coming_bytes: int) -> None:
        while self._sizes and self.bytes + coming_bytes > self._most_bytes:
            self.counters["cache_evicted"] += 1
            self._forget(next(iter(self._sizes)))

    def _forget(self, key: str) -> None:
        self.bytes -= self._sizes.pop(key, 0)
        self._touched.pop(key, None)
        with contextlib.suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _touch(self, key: str) -> None:
        now_s = self._clock()
        if now_s - self._touched.get(key, 0.0) > TOUCH_S:
            self._touched[key] = now_s
            with contextlib.suppress(OSError):
                os.utime(self._path(key), (now_s, now_s))

    def _trouble(self, error: OSError) -> None:
        if not self.counters["cache_disk_errors"]:
            LOG.warning("The phrase cache does without its folder: %s.", error.strerror or error)
        with self._lock:
            self.counters["cache_disk_errors"] += 1
            self._off_until_s = time.monotonic() + RETRY_S
