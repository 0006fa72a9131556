"""In: small files of state. Out: their contents, bounded and checked; a write that a power cut leaves whole.

A reader of state goes: read (size) → parse (depth, numbers, texts) → the caller's checks of type and range → use. What
fails on the way is put aside as `NAME.damaged` and told once: the device goes on without it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000
"""Of a file of state; the largest real one (30 timers) has some 10 kB."""
MOST_DEPTH = 32
MOST_DIGITS = 18
"""Of a whole number: what fits into 64 bits, and into a float without an overflow."""

T = TypeVar("T")


class Damaged(ValueError):
    """What was read cannot be used; the text says why, in the middle of a sentence."""


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """An ordinary file's UTF-8. Blocks. Raises Damaged (too large, no text, a pipe or a device) or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hold the reader up
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Damaged("it is no ordinary file")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise Damaged(f"it has more than {most_bytes} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Damaged(f"byte {error.start} is no UTF-8") from error


def parse_json(text: str | bytes) -> Any:
    """JSON of finite numbers, whole characters and MOST_DEPTH levels. Raises Damaged."""
    try:
        tree = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except RecursionError as error:
        raise Damaged("it is nested too deeply") from error
    except Damaged:
        raise
    except ValueError as error:
        raise Damaged(f"it is no JSON ({str(error)[:80]})") from error
    _check(tree, MOST_DEPTH)
    return tree


def recall(path: Path, parse: Callable[[Any], T], default: T, most_bytes: int = MOST_BYTES) -> T:
    """What `parse` makes of the JSON in `path`; `default` where there is none, or where it is damaged. Never raises.

    `parse` checks types and ranges; whatever it stumbles over means that the file is damaged.
    """
    try:
        return parse(parse_json(read_text(path, most_bytes)))
    except FileNotFoundError:
        return default
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        set_aside(path, str(error) if isinstance(error, Damaged) else f"{type(error).__name__}: {error}")
    except OSError as error:
        log.warning("%s cannot be read: %s. Going on without it.", path, error.strerror)
    return default


def set_aside(path: Path, why: str) -> Path | None:
    """Renames a damaged file to NAME.damaged and says so; where it is now, None where that cannot be done."""
    aside = path.with_name(path.name + ".damaged")
    try:
        path.replace(aside)
    except OSError as error:
        log.warning("%s is damaged (%s) and cannot be put aside: %s.", path, why[:200], error.strerror)
        return None
    log.warning("%s is damaged (%s): put aside as %s, going on without it.", path, why[:200], aside.name)
    return aside


def write_atomic(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Replaces a file so that a power cut leaves the old one or the new one, whole. Blocks; raises OSError.

    The content reaches the disk before the name, and the name before this returns (fsync(2): of a new name, the folder
    has to be synced as well). One writer at a time for one path.
    """
    raw = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(raw)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes new and removed names of a folder outlive a power cut. Blocks; a file system that cannot is let be."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # EINVAL: there is nothing to sync on this one
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> None:
    """Makes a folder of this user's with mode 0700. Raises OSError; PermissionError where it is somebody else's.

    What is there already must be a folder itself, not a link: in /tmp another user may have put one there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise PermissionError(1, "it belongs to another user", str(folder))
        if os.fstat(descriptor).st_mode & 0o777 != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


# -- checks of what was parsed ------------------------------------------------------------------------------------


def number(value: Any, low: float, high: float) -> float:
    """A finite number within low..high. Raises Damaged."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Damaged(f"{str(value)[:40]} is no number from {low:g} to {high:g}")
    return float(value)


def text(value: Any, most: int) -> str:
    """A text of 1 to `most` whole characters. Raises Damaged."""
    if not isinstance(value, str) or not 0 < len(value) <= most or not whole(value):
        raise Damaged(f"a text of 1 to {most} characters is missing")
    return value


def table(value: Any) -> dict[str, Any]:
    """A JSON object. Raises Damaged."""
    if not isinstance(value, dict):
        raise Damaged("an object is missing")
    return value


def rows(value: Any, most: int) -> list[Any]:
    """A JSON array of at most `most`. Raises Damaged."""
    if not isinstance(value, list) or len(value) > most:
        raise Damaged(f"a list of at most {most} is missing")
    return value


def whole(value: str) -> bool:
    """Whether a text can be written as UTF-8: JSON's \\ud800 alone makes half a character."""
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def _no_number(name: str) -> float:
    raise Damaged(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Damaged(f"{digits[:40]} is no finite number")
    return value


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS + 1:
        raise Damaged(f"a number has {len(digits)} digits")
    return int(digits)


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if not whole(value):
            raise Damaged("a text has half a character in it")
    elif isinstance(value, list | dict):
        if depth == 0:
            raise Damaged(f"it is nested more than {MOST_DEPTH} deep")
        for each in value:
            _check(each, depth - 1)
        if isinstance(value, dict):
            for each in value.values():
                _check(each, depth - 1)
