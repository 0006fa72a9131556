"""In: the lock's file. Out: one updater at a time; who comes second is told at once."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from appliance.errors import UpdateError


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds the lock. The kernel frees it with the process, however that ends. Raises UpdateError where another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UpdateError("busy", "Another update is under way on this device.") from error
        yield
