"""In: process ids. Out: what each process takes of the machine, since the last look. Blocks briefly: for a thread."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MB = 1e6
SETTLE_S = 60.0
"""A process that is younger here is loading its models: its memory is read at every look."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one process takes. None where the system does not tell."""

    cpu_ratio: float | None
    """Seconds of a core a second, since the last look."""
    rss_mb: float
    pss_mb: float | None
    """Proportional set size: a shared page counts by the share of its users. Not newer than `memory_interval_s`."""
    threads: int
    descriptors: int
    written_bytes: int | None
    """Bytes that went to storage since the process began."""


@dataclass(slots=True)
class _Known:
    process: psutil.Process
    cpu_s: float | None = None
    at_s: float = 0.0
    pss_mb: float | None = None
    since_s: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Processes:
    """Remembers the last look, to give rates."""

    proc: Path = Path("/proc")
    _known: dict[int, _Known] = field(default_factory=dict)

    def look(self, pids: Mapping[str, int], memory: bool) -> dict[str, Use]:
        """Use by name; a process that is gone is left out. `memory`: read PSS anew (milliseconds a process)."""
        self._known = {pid: known for pid, known in self._known.items() if pid in pids.values()}
        uses = {}
        for name, pid in pids.items():
            with contextlib.suppress(psutil.Error, OSError):
                uses[name] = self._use(pid, memory)
        return uses

    def _use(self, pid: int, memory: bool) -> Use:
        known = self._known.get(pid)
        if known is None:
            known = self._known[pid] = _Known(psutil.Process(pid))
        process = known.process
        with process.oneshot():
            times, now_s = process.cpu_times(), time.monotonic()
            cpu_s = times.user + times.system
            ratio = None if known.cpu_s is None else (cpu_s - known.cpu_s) / max(now_s - known.at_s, 1e-3)
            known.cpu_s, known.at_s = cpu_s, now_s
            if memory or known.pss_mb is None or now_s - known.since_s < SETTLE_S:
                known.pss_mb = self._pss_mb(pid)
            return Use(
                cpu_ratio=None if ratio is None else round(ratio, 4),
                rss_mb=round(process.memory_info().rss / MB, 1),
                pss_mb=known.pss_mb,
                threads=process.num_threads(),
                descriptors=process.num_fds(),
                written_bytes=self._written(process),
            )

    def _pss_mb(self, pid: int) -> float | None:
        """From smaps_rollup (proc(5)), MB of 10⁶ bytes."""
        with contextlib.suppress(OSError):
            for line in (self.proc / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith("Pss:"):
                    return round(int(line.split()[1]) * 1024 / MB, 1)
        return None

    def _written(self, process: psutil.Process) -> int | None:
        with contextlib.suppress(psutil.Error, OSError):
            return int(process.io_counters().write_bytes)
        return None
