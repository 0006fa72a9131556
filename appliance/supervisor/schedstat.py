"""In: a process id. Out: what the kernel counted of each of its threads: time on a CPU, time it waited for one.

`/proc/PID/task/TID/schedstat` has three numbers: nanoseconds on a CPU, nanoseconds waiting on a run queue, times it was
put on a CPU (Documentation/scheduler/sched-stats.rst). The file is there where the kernel has CONFIG_SCHED_INFO, which
SCHEDSTATS or TASK_DELAY_ACCT bring (bcm2711_defconfig of Raspberry Pi's kernel sets the latter). Before Linux 5.14 the
boot option `nodelayacct` leaves it all zeros. A wait is counted when it ends: one that goes on shows only as the state
R (proc_pid_stat(5)) beside numbers that stand still.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread at one moment."""

    ran_s: float
    """Seconds on a CPU since it began; up to a timer tick late (10 ms at 100 Hz)."""
    waited_s: float
    """Seconds on a run queue since it began, without the wait that goes on now."""
    slices: int
    """Times it was put on a CPU."""
    runnable: bool
    """It is on a CPU or waits for one now. A stopped thread, or one that sleeps, is not."""


UNBORN = Thread(0.0, 0.0, 0, False)


def threads(pid: int, proc: Path = PROC) -> dict[int, Thread] | None:
    """The process's threads by their ids; None where the kernel keeps no such count, or the process is gone.

    Reads two small files a thread: together 66 µs of CPU (a PC, ten threads).
    """
    found = {}
    try:
        for folder in (proc / str(pid) / "task").iterdir():
            try:
                found[int(folder.name)] = _thread(folder)
            except ProcessLookupError:  # it ended between the listing and the reading
                continue
    except (OSError, ValueError, IndexError):
        return None
    return found if any(thread.slices for thread in found.values()) else None


def _thread(folder: Path) -> Thread:
    ran_ns, waited_ns, slices = (int(word) for word in (folder / "schedstat").read_bytes().split()[:3])
    # The name, in brackets, may itself hold spaces and brackets: the state is the first word after the last one.
    state = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0]
    return Thread(ran_ns / 1e9, waited_ns / 1e9, slices, state == b"R")
