"""One search at a time on a thread of its own: one that was given up keeps the place until its thread is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class SearchThread:
    """Caches and the CPU budget of a search are for one thread at a time; a thread cannot be cancelled."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()

    async def run(self, search: Callable[[], T]) -> T:
        """Does `search` on a thread, after the one before it. Being cancelled leaves the thread to end by itself."""
        await self._free.acquire()
        try:
            searching = asyncio.get_running_loop().run_in_executor(None, search)
        except BaseException:
            self._free.release()
            raise
        searching.add_done_callback(self._done)
        return await asyncio.shield(searching)

    def _done(self, searching: asyncio.Future[T]) -> None:
        self._free.release()
        if not searching.cancelled():
            searching.exception()  # who asked may have gone away
