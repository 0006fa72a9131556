"""One search at a time, whoever gave up waiting for one."""

from __future__ import annotations

import asyncio
import threading

import pytest

from appliance.conversation.search_thread import SearchThread
from tests.clock import instant, settle


class Search:
    """Searches that end when they are let go, and how many ran at once."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)
        self.running = self.most_at_once = 0

    def __call__(self) -> str:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.begun.release()
        self.let_go.acquire(timeout=120)
        self.running -= 1
        return "found"


async def test_a_search_that_was_given_up_keeps_the_place_until_its_thread_is_done() -> None:
    thread, search = SearchThread(), Search()
    first = asyncio.create_task(thread.run(search))
    await asyncio.to_thread(search.begun.acquire)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    others = [asyncio.create_task(thread.run(search)) for _ in range(3)]
    await settle()
    assert search.most_at_once == 1
    for _ in range(4):
        search.let_go.release()
    assert await asyncio.gather(*others) == ["found"] * 3
    assert search.most_at_once == 1


@instant
async def test_an_error_frees_the_place() -> None:
    thread = SearchThread()
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    assert await thread.run(lambda: "found") == "found"
