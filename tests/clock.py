"""A clock for tests that jumps: `instant` runs a test on a loop where waiting takes no time."""

from __future__ import annotations

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock


class JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: where no file is ready, the clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0
        self.threads = 0
        """Jobs under way on threads: those take the time they take, and the clock stands still meanwhile."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.threads:
            return super().select(0.05)
        if timeout is None:
            ready = super().select(5.0)  # a thread may still answer
            if not ready:
                raise AssertionError("everybody waits, and nothing will ever happen")
            return ready
        self.now_s += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on fake time."""

    def __init__(self) -> None:
        self.clock = JumpingSelector()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        job = super().run_in_executor(executor, func, *args)
        self.clock.threads += 1
        job.add_done_callback(self._done)
        return job

    def _done(self, job: asyncio.Future[Any]) -> None:
        self.clock.threads -= 1


def run_instantly(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` on fake time; `time.monotonic` tells the same time."""
    loop = JumpingLoop()
    with (
        mock.patch.object(time, "monotonic", loop.time),
        mock.patch.object(time, "monotonic_ns", lambda: int(loop.time() * 1e9)),
    ):
        try:
            loop.run_until_complete(work)
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


def instant(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test on fake time."""

    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        run_instantly(test(*args, **named))

    return run


async def settle() -> None:
    """Lets everything happen that needs no time."""
    for _ in range(50):
        await asyncio.sleep(0)
