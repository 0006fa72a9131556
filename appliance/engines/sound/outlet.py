"""In: messages from any thread. Out: the same, in order, on one connection; audio nobody takes is dropped, oldest first."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from appliance.errors import EngineError
from appliance.wire.frame import Connection
from appliance.wire.message import Message
from appliance.wire.sound import Heard

MOST_MESSAGES = 512
"""16 s of audio blocks: more than a supervisor that is still alive is ever behind."""


class Outlet:
    """The queue in front of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Message] = deque()
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, message: Message) -> None:
        """From any thread; never blocks. Beyond MOST_MESSAGES the oldest audio goes, and is counted."""
        with self._lock:
            if len(self._queue) >= MOST_MESSAGES:
                audio = next((i for i, queued in enumerate(self._queue) if isinstance(queued, Heard)), 0)
                del self._queue[audio]
                self.dropped += 1
            self._queue.append(message)
            first = len(self._queue) == 1
        if first:
            try:
                self._loop.call_soon_threadsafe(self._ready.set)
            except RuntimeError:
                pass  # the loop has ended, and with it the connection

    def backlog(self) -> int:
        """Messages not yet handed to the connection."""
        return len(self._queue)

    async def run(self) -> None:
        """Sends until the connection fails or the task is cancelled."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._queue:
                message = self._queue[0]
                try:
                    await self._connection.send(message.event())
                except EngineError:
                    return  # its reader notices, too, and ends what the peer had begun
                with self._lock:
                    if self._queue and self._queue[0] is message:
                        self._queue.popleft()
