"""In: Wyoming events of one connection. Out: speech, pongs, facts. Closing the connection cancels what is being spoken."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from contextlib import aclosing

from wyoming.event import Event

from appliance.engines.host import memory
from appliance.engines.tts.maker import Maker
from appliance.engines.tts.normalise import normalised
from appliance.engines.tts.reply import Reply
from appliance.engines.tts.sentences import whole_sentences
from appliance.errors import EngineError, TtsError
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStop, Describe, Failure, Ping, Pong, Ready
from appliance.wire.tts import Speech, SpeechStart, Synthesize, Warm

LOG = logging.getLogger(__name__)

QUEUE_EVENTS = 16
"""Requests that may wait on one connection; then it is not read (back-pressure)."""
SEND_S = 60.0
"""The player takes speech as it plays it, and may be paused by an alarm; after this long it is gone."""


class Session:
    """One connection: reads into a bounded queue, answers in order, ends when the peer goes away."""

    def __init__(self, connection: Connection, maker: Maker, sha256: dict[str, str], warm: bool) -> None:
        """`warm`: whether the phrase cache may be filled ahead."""
        self._connection = connection
        self._maker = maker
        self._sha256 = sha256
        self._warm = warm
        self._queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_EVENTS)

    async def run(self) -> None:
        """Serves until the peer closes or talks rubbish. Raises EngineError then, as the wire does."""
        tasks = [
            asyncio.create_task(self._answer(), name="tts-answer"),
            asyncio.create_task(self._read(), name="tts-read"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except EngineError as error:
            self._maker.counters["garbage"] += float(error.code in ("garbage", "truncated"))
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            await self._queue.put(await self._connection.receive())

    async def _answer(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._handle(event)
            except TtsError as error:
                self._maker.counters["failed"] += 1
                LOG.error("%s", error)
                await self._connection.send(Failure(error.message, error.code).event())

    async def _handle(self, event: Event) -> None:
        if Synthesize.matches(event):
            await self._speak(Synthesize.from_event(event).text)
        elif Ping.matches(event):
            await self._pong(Ping.from_event(event))
        elif Describe.matches(event):
            speaker = self._maker.speaker
            ready = Ready(speaker.name, speaker.model, self._sha256, speaker.versions, speaker.notes)
            await self._connection.send(ready.event())
        elif Warm.matches(event):
            await self._keep(Warm.from_event(event).texts)

    async def _speak(self, text: str) -> None:
        self._maker.counters["replies"] += 1
        asked_s = time.monotonic()
        with self._maker.reply():
            reply = Reply(text, self._maker)
            try:
                spoken_ms = await self._send(reply, asked_s)
            except (asyncio.CancelledError, EngineError):
                self._maker.counters["cancelled"] += 1
                raise
            finally:
                reply.close()
        await self._connection.send(AudioStop(round(spoken_ms)).event(), SEND_S)

    async def _send(self, reply: Reply, asked_s: float) -> float:
        """Sends all of it; its length in milliseconds. Raises TtsError if not a sample was audible."""
        rate_hz, sent = self._maker.speaker.rate_hz, 0
        async with aclosing(reply.messages()) as messages:
            async for samples in messages:
                if not sent:
                    first_ms = 1000 * (time.monotonic() - asked_s)
                    LOG.info("tts: first speech after %.0f ms%s", first_ms, ", cached" if reply.cached else "")
                    await self._connection.send(SpeechStart(rate_hz, cached=reply.cached).event(), SEND_S)
                audio = samples.astype("<i2").tobytes()
                speech = Speech(rate_hz, timestamp=1000 * sent // rate_hz, audio=audio)
                await self._connection.send(speech.event(), SEND_S)
                sent += len(samples)
        if not sent:
            raise TtsError("nothing-audible", "The voice made nothing audible of the text.")
        return 1000 * sent / rate_hz

    async def _pong(self, ping: Ping) -> None:
        if self._maker.stuck:
            LOG.error("The synthesiser hangs: the heartbeat is not answered.")
            return
        counters = {**self._maker.counters, **self._maker.cache.counters, "cache_bytes": float(self._maker.cache.bytes)}
        counters |= memory()
        await self._connection.send(Pong(ping.text, counters).event())

    async def _keep(self, texts: tuple[str, ...]) -> None:
        """Makes what is missing, one piece after another; `audio-stop` tells that it is done."""
        over = threading.Event()
        try:
            for text in texts if self._warm else ():
                for piece in whole_sentences(normalised(text, self._maker.speaker.language)):
                    with contextlib.suppress(
                        TtsError
                    ):  # a phrase that cannot be spoken is met again when it is asked for
                        await self._maker.keep(piece.text, lambda: not over.is_set())
        finally:
            over.set()
            self._maker.rest()
        await self._connection.send(AudioStop().event())
