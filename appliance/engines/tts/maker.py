"""In: pieces of text. Out: their speech, out of the phrase cache or made on a worker thread, and kept for the next time."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from appliance.engines.tts.cache import PhraseCache, key_of
from appliance.engines.tts.protocol import NOTHING, Samples, Speaker, Wanted
from appliance.engines.tts.trim import trimmed

THREADS = 2
"""An inference cannot be stopped half-way: a new reply is not kept waiting for the piece of a cancelled one."""
STUCK_S = 10.0
"""A piece takes 0.4 s, 1.5 s on slow cores; a worker this late is hung, and the heartbeat must show it."""
log = logging.getLogger(__name__)

IDLE_PRIORITY = 19


@dataclass(frozen=True, slots=True)
class Made:
    """The speech of one piece, trimmed; no samples if nothing is audible or it was no longer wanted."""

    samples: Samples
    cached: bool


class Maker:
    """The voice, the cache and the threads. `make` for replies, `keep` for what should be ready before it is asked."""

    def __init__(self, speaker: Speaker, cache: PhraseCache) -> None:
        self.speaker = speaker
        self.cache = cache
        self.counters: dict[str, float] = dict.fromkeys(
            ("replies", "cancelled", "failed", "pieces", "speech_s", "synthesis_s", "warmed", "garbage"), 0.0
        )
        self._pool = ThreadPoolExecutor(THREADS, "speak")
        self._background = ThreadPoolExecutor(1, "warm", _be_modest)
        self._quiet_speaker: Speaker | None = None
        self._running: dict[int, float] = {}
        self._replies = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._keeping: threading.Event | None = None

    @contextmanager
    def reply(self) -> Iterator[None]:
        """While the block runs, a reply is being made: nothing is warmed, and what is being warmed is given up."""
        self._replies += 1
        self._quiet.clear()
        if self._keeping is not None:
            self._keeping.set()
        try:
            yield
        finally:
            self._replies -= 1
            if not self._replies:
                self._quiet.set()

    @property
    def stuck(self) -> bool:
        """Whether a worker has not come back for STUCK_S."""
        return any(time.monotonic() - began_s > STUCK_S for began_s in list(self._running.values()))

    def kept(self, text: str) -> bool:
        """Whether the cache holds `text`."""
        return self.cache.has(key_of(self.speaker.identity, text))

    async def make(self, text: str, wanted: Wanted) -> Made:
        """Speech of `text`. Raises TtsError. Cancelling leaves the thread to find out through `wanted`."""
        return await self._run(self._pool, lambda: self._made(self.speaker, text, wanted))

    async def keep(self, text: str, wanted: Wanted) -> None:
        """Puts the speech of `text` into the cache at idle priority, begun again whenever a reply interrupts it."""
        while wanted() and not self.kept(text):
            await self._quiet.wait()
            given_up = self._keeping = threading.Event()
            try:
                made = await self._run(self._background, self._keeping_job(text, wanted, given_up))
                interrupted = given_up.is_set()
            finally:
                given_up.set()
                self._keeping = None
            if not interrupted:
                self.counters["warmed"] += float(len(made.samples) > 0 and not made.cached)
                return

    def rest(self) -> None:
        """Gives back what warming needed."""
        self._quiet_speaker = None

    def close(self) -> None:
        for pool in (self._pool, self._background):
            pool.shutdown(wait=False, cancel_futures=True)
        self.cache.close()

    def _keeping_job(self, text: str, wanted: Wanted, given_up: threading.Event) -> Callable[[], Made]:
        return lambda: self._made(self._quietly(), text, lambda: wanted() and not given_up.is_set())

    def _quietly(self) -> Speaker:
        if self._quiet_speaker is None:
            self._quiet_speaker = self.speaker.background()
        return self._quiet_speaker

    async def _run(self, pool: ThreadPoolExecutor, job: Callable[[], Made]) -> Made:
        def watched() -> Made:
            me = threading.get_native_id()
            self._running[me] = time.monotonic()
            try:
                return job()
            finally:
                del self._running[me]

        return await asyncio.get_running_loop().run_in_executor(pool, watched)

    def _made(self, speaker: Speaker, text: str, wanted: Wanted) -> Made:
        if not wanted():
            return Made(NOTHING, False)
        key = key_of(speaker.identity, text)
        if (kept := self.cache.get(key)) is not None:
            return Made(kept, True)
        began_s = time.monotonic()
        samples = trimmed(speaker.speak(text, wanted), speaker.rate_hz)
        if not wanted():  # perhaps only half of it: neither played nor kept
            return Made(NOTHING, False)
        self.counters["pieces"] += 1
        self.counters["speech_s"] += len(samples) / speaker.rate_hz
        self.counters["synthesis_s"] += time.monotonic() - began_s
        self.cache.put(key, samples)
        return Made(samples, False)


def _be_modest() -> None:
    """Lets the warming thread wait for everybody else, where the system allows it.

    The unit's SystemCallFilter denies setpriority(2): an initializer that raises would break the pool, and no phrase
    would ever be warmed. Then it warms at the process's own priority, between the replies.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, IDLE_PRIORITY)
    except OSError as error:
        log.info("warm: at ordinary priority (%s)", error.strerror)
