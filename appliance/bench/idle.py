"""In: a quiet room for some seconds. Out: what the real program takes of the machine, by process."""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from appliance.bench.program import cpu_s, program, wait_calm
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult

SECONDS = 30.0
MB = 1e6


@dataclass(frozen=True, slots=True)
class Use:
    """What one process took while it was watched."""

    process: str
    cpu_ratio: float
    """Seconds of a core a second of audio."""
    pss_mb: float | None
    """Proportional set size at the end: shared pages count by the share of their users. MB of 10⁶ bytes."""
    threads: int
    descriptors: int
    written_bytes: int | None
    """Bytes that went to storage; None where the system does not tell."""


@dataclass(frozen=True, slots=True)
class _Before:
    cpu_s: float
    written: int | None


def run(request: Request) -> SuiteResult:
    """Watches `--seconds` of a quiet room at real-time pace. Raises ApplianceError where the program does not start."""
    seconds = request.seconds or SECONDS
    with program(request) as up:
        request.progress(0, int(seconds), "waiting until the start is over")
        processes = up.processes()
        waited_s = wait_calm(list(processes.values()))
        processes = up.processes()
        before = {name: _Before(cpu_s(process), _written(process)) for name, process in processes.items()}
        watched_s = _watch(request, seconds)
        uses = [use for name, process in processes.items() if (use := _use(name, process, before[name], watched_s))]
        gone = set(processes) - {use.process for use in uses}
        status = up.status
    notes = [f"Watched {watched_s:.1f} s of quiet room, {waited_s:.0f} s after the program was ready."]
    notes += [] if status == "ready" else [f"The program called itself '{status}'."]
    notes += [f"The process {name} ended while it was watched." for name in sorted(gone)]
    if any(use.written_bytes is None for use in uses):
        notes.append("Bytes written: null, /proc/PID/io cannot be read here.")
    if any(use.pss_mb is None for use in uses):
        notes.append("Memory: null, /proc/PID/smaps_rollup cannot be read here.")
    return SuiteResult(
        "idle", round(watched_s), _measures(uses, watched_s), [asdict(use) for use in uses], tuple(notes)
    )


def _watch(request: Request, seconds: float) -> float:
    """Waits; the seconds that really went by."""
    started_s = time.monotonic()
    while (gone_s := time.monotonic() - started_s) < seconds:
        request.progress(int(gone_s), int(seconds), "a quiet room")
        time.sleep(min(1.0, seconds - gone_s))
    return time.monotonic() - started_s


def _use(name: str, process: psutil.Process, before: _Before, watched_s: float) -> Use | None:
    with contextlib.suppress(psutil.Error):
        written = _written(process)
        both = written is not None and before.written is not None
        return Use(
            process=name,
            cpu_ratio=(cpu_s(process) - before.cpu_s) / watched_s,
            pss_mb=pss_mb(process.pid),
            threads=process.num_threads(),
            descriptors=process.num_fds(),
            written_bytes=(written or 0) - (before.written or 0) if both else None,
        )
    return None


def _measures(uses: list[Use], watched_s: float) -> dict[str, float | None]:
    written = total([use.written_bytes for use in uses])
    measures: dict[str, float | None] = {
        "idle.cpu_ratio": total([use.cpu_ratio for use in uses], 5),
        "idle.pss_mb": total([use.pss_mb for use in uses], 1),
        "idle.threads": total([use.threads for use in uses]),
        "idle.descriptors": total([use.descriptors for use in uses]),
        "idle.written_bytes": written,
        "idle.written_mb_per_hour": None if written is None else round(written / MB * 3600 / watched_s, 3),
    }
    for use in uses:
        measures[f"idle.cpu_ratio.{use.process}"] = round(use.cpu_ratio, 5)
        measures[f"idle.pss_mb.{use.process}"] = None if use.pss_mb is None else round(use.pss_mb, 1)
    return measures


def total(values: list[float | None] | list[float] | list[int] | list[int | None], digits: int = 0) -> float | None:
    """The sum; None where one is missing, because a part is not the whole."""
    present = [value for value in values if value is not None]
    return round(float(sum(present)), digits) if present and len(present) == len(values) else None


def pss_mb(pid: int) -> float | None:
    """Proportional set size in MB of 10⁶ bytes, from smaps_rollup (proc(5)); None where it cannot be read."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / MB
    return None


def _written(process: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.Error, OSError):
        return int(process.io_counters().write_bytes)
    return None
