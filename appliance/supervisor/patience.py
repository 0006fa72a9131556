"""In: looks at a child that says nothing. Out: how long it has really been silent, less what it could not help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.supervisor.schedstat import UNBORN, Thread

WORK = 0.5
"""What a second of work without a word counts: a long job is no hang, an endless loop is one after twice the limit.

The recogniser's longest job took 0.18 s of CPU (1,450 jobs of 18 utterances on a PC), so some 0.9 s on a machine five
times slower, and a ping may wait behind two: 1.8 s, where 1.2 s would end it.
"""
FORGIVEN_MOST_S = 5.0
"""More than this is forgiven to nobody, whatever the kernel says: who is spoken to waits."""


@dataclass(frozen=True, slots=True)
class _Account:
    """A thread at the last look."""

    thread: Thread
    waiting_since_s: float | None
    """Since which look it was runnable while its numbers stood still; None where it was not."""
    waited_s: float
    """All its waiting, with the wait that goes on."""


_NEW = _Account(UNBORN, None, 0.0)


class Patience:
    """One silence of one child. Pure: the clock and the kernel's count come in with each `look`.

    Not silence: time in which the child was runnable and not run (at most FORGIVEN_MOST_S of it), and time in which the
    looker itself came late: its own process was starved, and what the child said meanwhile lies in the socket. Work
    counts by WORK. All else is silence: sleep, a lock that is never freed, a stopped process, waiting for a disk.
    """

    def __init__(self, now_s: float) -> None:
        self.silent_s = 0.0
        self.forgiven_s = 0.0
        """Of the time since the beginning, what was put down to hunger and to work."""
        self._looked_s = now_s
        self._accounts: dict[int, _Account] | None = None

    def look(self, now_s: float, expected_s: float, threads: Mapping[int, Thread] | None) -> None:
        """Notes a look at `now_s` (monotonic) that was meant for `expected_s` after the one before.

        `threads`: what the kernel counts (`schedstat.threads`), None where it is not known; then all of it is silence.
        """
        past_s = now_s - self._looked_s
        self._looked_s = now_s
        ran_s, waited_s = self._spent(now_s, past_s, threads)
        counted_s = min(past_s, expected_s)
        forgiven_s = counted_s * _forgiven(past_s, ran_s, waited_s)
        forgiven_s = min(forgiven_s, FORGIVEN_MOST_S - self.forgiven_s)
        self.forgiven_s += forgiven_s
        self.silent_s += counted_s - forgiven_s

    def _spent(self, now_s: float, past_s: float, threads: Mapping[int, Thread] | None) -> tuple[float, float]:
        """Seconds on a CPU and waiting for one since the last look, summed over the threads."""
        before, self._accounts = self._accounts, None
        if threads is None:
            return 0.0, 0.0
        accounts = {tid: _account(thread, (before or {}).get(tid, _NEW), now_s) for tid, thread in threads.items()}
        self._accounts = accounts
        if before is None:
            return 0.0, 0.0
        ran_s = waited_s = 0.0
        for tid, account in accounts.items():
            last = before.get(tid, _NEW)
            # A wait that ends is known from its beginning, which may lie before the last look: never more than past.
            ran_s += min(past_s, max(0.0, account.thread.ran_s - last.thread.ran_s))
            waited_s += min(past_s, max(0.0, account.waited_s - last.waited_s))
        return ran_s, waited_s


def _account(thread: Thread, last: _Account, now_s: float) -> _Account:
    if not thread.runnable:
        return _Account(thread, None, thread.waited_s)
    since_s = now_s
    if thread == last.thread and last.waiting_since_s is not None:
        since_s = last.waiting_since_s
    return _Account(thread, since_s, thread.waited_s + now_s - since_s)


def _forgiven(past_s: float, ran_s: float, waited_s: float) -> float:
    """The share of a stretch that is no silence, 0..1. Threads side by side may sum up to more than the stretch."""
    busy_s = ran_s + waited_s
    if past_s <= 0.0 or busy_s <= 0.0:
        return 0.0
    return min(1.0, busy_s / past_s) * (waited_s + (1.0 - WORK) * ran_s) / busy_s
