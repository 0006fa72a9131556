"""In: nothing. Out: this process's memory, in MB, and what it holds without use given back to the system."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_C = ctypes.CDLL(None)
_TRIM = getattr(_C, "malloc_trim", None)
_OPTION = getattr(_C, "mallopt", None)
"""glibc's; other C libraries have none and need none."""
_AREA = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* ")
"""Of smaps (proc(5)): a file's pages that only this process maps so and nobody here may write."""
_M_ARENA_MAX = -8
"""mallopt(3)."""
_MADV_DONTNEED = 4
"""madvise(2)."""


def share_heap() -> None:
    """Threads that start from now on share one heap; each would keep its own peak: 9 MB more after 50 orders."""
    if _OPTION is not None:
        _OPTION(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Blocks for some milliseconds. Without it 30 MB of freed blocks stay with a recogniser that ran for five minutes."""
    if _TRIM is not None:
        _TRIM(0)


def let_go_of_files() -> None:
    """Unmaps the pages of libraries that loading touched: the system keeps them as files, and what runs finds its own again.

    Of onnxruntime's 21 MB half is never looked at again. Blocks for some 30 ms. Pages written to (relocations) stay.
    """
    for begin, end in _untouched_areas():
        _C.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED)


def _untouched_areas() -> Iterator[tuple[int, int]]:
    """(begin, end) of areas that are the same as their files: dropping them loses nothing."""
    try:
        lines = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    yield from untouched_areas(lines)


def untouched_areas(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """(begin, end) of the areas in these lines of smaps that hold their file's own pages.

    Rss above 0 is asked for, too: an emulator (qemu-user) tells 0 of everything, written pages included. And Swap 0: a
    page that was written to and then swapped out counts neither as resident nor as anonymous.
    """
    area: re.Match[str] | None = None
    facts: dict[str, str] = {}
    for line in (*smaps, "0-0 ---p end"):
        name, colon, rest = line.partition(":")
        if colon and name.isidentifier():
            facts[name] = rest.split()[0] if rest.split() else ""
            continue
        if area is not None and facts.get("Rss", "0") != "0" and facts.get("Anonymous") == facts.get("Swap") == "0":
            yield int(area[1], 16), int(area[2], 16)
        area, facts = _AREA.match(line), {}


def memory_mb() -> float | None:
    """Proportional set size in MB of 10⁶ bytes, from smaps_rollup (proc(5)); None where it cannot be read."""
    try:
        for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    except (OSError, ValueError):
        return None
    return None
