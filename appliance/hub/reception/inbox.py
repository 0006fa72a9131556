"""In: messages on paho's thread. Out: the same in the event loop, in order; bounded, and what did not fit is counted."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SIZE = 50_000
"""Messages: what 10,000 devices say in half a minute, some 150 MB at the worst, some 50 usually."""
SLICE_S = 0.010
"""So long the loop takes messages before it lets others run."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came."""

    topic: str
    payload: bytes
    retain: bool
    at_ns: int
    """Monotonic."""
    correlation: bytes | None = None


class Inbox:
    """`put` is paho's; everything else is the event loop's."""

    def __init__(self, take: Callable[[Received], None], size: int = SIZE) -> None:
        self.dropped = 0
        """The oldest go first: what is newer says more."""
        self.delay_ms: deque[float] = deque(maxlen=2000)
        """From paho's thread until the fleet had taken it, of the last messages."""
        self._take = take
        self._queue: deque[Received] = deque(maxlen=size)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = asyncio.Event()
        self._woken = False

    def put(self, received: Received) -> None:
        """From any thread; takes a microsecond."""
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(received)
        if not self._woken and self._loop is not None:
            self._woken = True
            self._loop.call_soon_threadsafe(self._ready.set)

    def __len__(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Hands messages over until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        while True:
            await self._ready.wait()
            self._ready.clear()
            self._woken = False  # from here on a new message wakes anew: none is left lying
            end_ns = time.monotonic_ns() + int(SLICE_S * 1e9)
            while self._queue:
                received = self._queue.popleft()
                self._take(received)
                now_ns = time.monotonic_ns()
                self.delay_ms.append((now_ns - received.at_ns) / 1e6)
                if now_ns > end_ns:
                    await asyncio.sleep(0)
                    end_ns = time.monotonic_ns() + int(SLICE_S * 1e9)
