"""In: Wyoming events of one connection. Out: partials and transcripts; decoding happens on one worker thread.

Order is kept: a ping is answered behind the audio before it, through the worker, so that its lag is the engine's lag.
While the queue is full the socket is not read (back-pressure); audio of an utterance is never dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from wyoming.event import Event

from appliance.engines.host import memory
from appliance.engines.stt.protocol import RATE_HZ, Recogniser, Samples, Utterance
from appliance.errors import ApplianceError, EngineError, SttError
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStart, AudioStop, Describe, Failure, Ping, Pong, Ready
from appliance.wire.stt import Chunk, Flush, Transcribe

LOG = logging.getLogger(__name__)

QUEUE_EVENTS = 64
"""Events that may wait; at 10 ms a chunk, 0.64 s."""
PIECE_SAMPLES = RATE_HZ // 4
"""Longer chunks are cut, so that a cancel and other connections' heartbeats get their turn."""
MOST_SAMPLES = 60 * RATE_HZ
"""A longer utterance is no command: it is refused, and memory stays bounded."""
PREPARE_S = 5.0
"""How long a first utterance waits for its grammar; after that the free search serves."""

T = TypeVar("T")


@dataclass(slots=True)
class Counts:
    """What the child counts over all its connections."""

    utterances: int = 0
    cancelled: int = 0
    failed: int = 0
    queue_full: int = 0
    audio_s: float = 0.0
    decode_cpu_s: float = 0.0


class Worker:
    """The one thread that decodes. Jobs run in order; each is short."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._pool = ThreadPoolExecutor(1, "decode")

    async def run(self, job: Callable[[], T]) -> T:
        """Runs `job` on the decoding thread and counts its CPU time."""

        return await asyncio.get_running_loop().run_in_executor(self._pool, self._timed, job)

    def soon(self, job: Callable[[], object]) -> None:
        """Runs `job` behind what is there already. Nobody waits for it, so that no closed connection cancels it."""
        with contextlib.suppress(RuntimeError):  # the child ends
            self._pool.submit(self._timed, job)

    def _timed(self, job: Callable[[], T]) -> T:
        before = time.thread_time()
        try:
            return job()
        finally:
            self.counts.decode_cpu_s += time.thread_time() - before

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Session:
    """One connection: reads into a bounded queue, answers in order, ends when the peer goes away."""

    def __init__(self, connection: Connection, recogniser: Recogniser, worker: Worker, sha256: dict[str, str]) -> None:
        self._connection = connection
        self._recogniser = recogniser
        self._worker = worker
        self._sha256 = sha256
        self._queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_EVENTS)
        self._utterance: Utterance | None = None
        self._request = Transcribe()
        self._samples = 0

    async def run(self) -> None:
        """Serves until the peer closes. Raises EngineError then, as the wire does."""
        answering = asyncio.create_task(self._answer(), name="stt-answer")
        reading = asyncio.create_task(self._read(), name="stt-read")
        try:
            done, _ = await asyncio.wait((answering, reading), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (answering, reading):
                task.cancel()
            await asyncio.gather(answering, reading, return_exceptions=True)
            if self._utterance is not None:
                self._worker.counts.cancelled += 1
                self._rest()

    async def _read(self) -> None:
        while True:
            event = await self._connection.receive()
            if self._queue.full():
                self._worker.counts.queue_full += 1
            await self._queue.put(event)

    async def _answer(self) -> None:
        while True:
            event = await self._queue.get()
            failed = False
            try:
                await self._handle(event)
            except SttError as error:
                failed = True
                await self._fail(error)
            except EngineError:
                raise  # the peer went away, or sent rubbish
            except Exception as error:
                LOG.exception("utterance")
                failed = True
                await self._fail(SttError("failed", f"The recogniser stumbled ({type(error).__name__})."))
            if failed:  # not before: the error holds what failed
                self._rest()

    async def _fail(self, error: SttError) -> None:
        self._worker.counts.failed += 1
        self._utterance = None
        LOG.error("%s", error.message)
        await self._connection.send(Failure(error.message, error.code).event())

    async def _handle(self, event: Event) -> None:
        if Chunk.matches(event):
            await self._accept(Chunk.from_event(event))
        elif Ping.matches(event):
            await self._pong(Ping.from_event(event))
        elif Transcribe.matches(event):
            self._request = Transcribe.from_event(event)
            self._utterance = None
            self._recogniser.prepare(self._request)
        elif AudioStart.matches(event):
            await self._start(AudioStart.from_event(event))
        elif Flush.matches(event):
            if self._utterance is not None:
                partial = await self._worker.run(self._utterance.flush)
                await self._connection.send(partial.event())
        elif AudioStop.matches(event):
            await self._stop()
        elif Describe.matches(event):
            await self._connection.send(self._ready().event())

    async def _start(self, start: AudioStart) -> None:
        if (start.rate, start.width, start.channels) != (RATE_HZ, 2, 1):
            raise SttError(
                "audio-format", f"The recogniser takes 16 kHz mono S16, not {start.rate} Hz × {start.channels}."
            )
        await self._prepared()
        request = self._request
        self._utterance = await self._worker.run(lambda: self._recogniser.utterance(request))
        self._samples = 0
        self._worker.counts.utterances += 1

    async def _prepared(self) -> None:
        """Waits for what the utterance cannot do without, a bounded time, while its audio queues up."""
        await self._awaited(self._recogniser.prepare(self._request))

    async def _awaited(self, pending: Future[Any] | None) -> None:
        if pending is not None:
            try:
                async with asyncio.timeout(PREPARE_S):
                    await asyncio.shield(asyncio.wrap_future(pending))
            except ApplianceError as error:
                LOG.warning("This utterance goes without its grammar: %s", error)
            except TimeoutError:
                LOG.warning("The grammar is not ready after %g s: this utterance goes without.", PREPARE_S)

    async def _accept(self, chunk: Chunk) -> None:
        if self._utterance is None:
            return
        if (chunk.rate, chunk.width, chunk.channels) != (RATE_HZ, 2, 1) or len(chunk.audio) % 2:
            raise SttError("audio-format", "A chunk of the utterance is not 16 kHz mono S16.")
        samples = np.frombuffer(chunk.audio, "<i2").astype(np.float32) / np.float32(32768)
        self._samples += len(samples)
        if self._samples > MOST_SAMPLES:
            raise SttError("too-long", f"The utterance is longer than {MOST_SAMPLES // RATE_HZ} s.")
        self._worker.counts.audio_s += len(samples) / RATE_HZ
        for at in range(0, len(samples), PIECE_SAMPLES):
            await self._piece(self._utterance, samples[at : at + PIECE_SAMPLES])

    async def _piece(self, utterance: Utterance, samples: Samples) -> None:
        if (partial := await self._worker.run(lambda: utterance.accept(samples))) is not None:
            await self._connection.send(partial.event())

    async def _stop(self) -> None:
        if self._utterance is None:
            return
        if not self._samples:  # an utterance without audio asks to have its grammar compiled
            await self._awaited(self._recogniser.learning(self._request))
        transcript = await self._worker.run(self._utterance.finish)
        self._utterance = None
        try:
            await self._connection.send(transcript.event())
        finally:
            self._rest()

    def _rest(self) -> None:
        """Lets go of the utterance, then of what it took. Peers close the connection once they have the transcript."""
        self._utterance = None
        self._worker.soon(self._recogniser.rest)

    async def _pong(self, ping: Ping) -> None:
        counters = await self._worker.run(self._recogniser.counters)
        counts = self._worker.counts
        own = {name: float(getattr(counts, name)) for name in Counts.__slots__}
        await self._connection.send(Pong(ping.text, own | counters | memory()).event())

    def _ready(self) -> Ready:
        known = self._recogniser
        return Ready(known.name, known.model, self._sha256, known.versions, known.notes)
