"""In: blocks of speech. Out: partial readings and the final text of one utterance, even if the recogniser dies meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from appliance.errors import EngineError, SttError
from appliance.supervisor.child import Child
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStart, AudioStop, Failure, Ping, Pong
from appliance.wire.stt import Chunk, Flush, Partial, Transcribe, Transcript

log = logging.getLogger(__name__)

T = TypeVar("T")

KEPT_BYTES = 70 * 16000 * 2
"""Audio of an utterance kept for a second try: 70 s, more than the longest utterance that the settings allow."""
RETRIES = 2


class Transcription:
    """One utterance on its own connection. `async with` opens it; leaving cancels what is in flight.

    Audio is kept until the final text is there: where the recogniser dies, the whole utterance is given to its
    successor, so that the person need not say it again.
    """

    def __init__(
        self, child: Child, begin: Transcribe, ready_s: float, on_partial: Callable[[Partial], None], lockstep: bool
    ) -> None:
        """`ready_s`: how long a successor may take. `lockstep`: wait until each block is decoded (not in real time)."""
        self._child = child
        self._begin = begin
        self._ready_s = ready_s
        self._on_partial = on_partial
        self._lockstep = lockstep
        self._kept = bytearray()
        self._offset_ms = 0
        self._connection: Connection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._final: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self._pong = asyncio.Event()
        self._failure: EngineError | None = None
        self._told_s = 0.0
        self.second_tries = 0

    async def __aenter__(self) -> Transcription:
        await self._trying(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def hear(self, audio: bytes) -> None:
        """A block of speech, 16 kHz mono S16. Raises EngineError where no recogniser can be had."""
        at_ms = len(self._kept) // 32
        self._kept += audio
        del self._kept[KEPT_BYTES:]
        await self._trying(lambda: self._hear(audio, at_ms), resent=True)

    async def begin_again(self, keep_ms: int) -> None:
        """Forgets all but the last `keep_ms` of audio: what was heard before held no word. The time line goes on."""
        kept = min(len(self._kept), keep_ms * 32)
        self._offset_ms += (len(self._kept) - kept) // 32
        del self._kept[: len(self._kept) - kept]
        await self._close()
        await self._trying(self._open)

    async def flush(self) -> None:
        """Asks for a reading of all that was heard, now. Speech may go on."""
        await self._trying(lambda: self._send(Flush()))
        if self._lockstep:
            await self._trying(self._step)

    async def finish(self, deadline_s: float) -> Transcript:
        """The final text. Raises SttError where the recogniser refused, EngineError where none could be had."""

        async def ask() -> Transcript:
            await self._send(AudioStop())
            # A successor has the grammar to compile and the whole utterance to hear before it can answer.
            return await self._answer(deadline_s + (self._ready_s if self.second_tries else 0.0))

        transcript = await self._trying(ask)
        assert transcript is not None
        return transcript

    # -- one try --------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        connection = self._connection = await self._child.connect(self._ready_s)
        self._failure = None
        self._final = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(connection), name="stt reader")
        await self._send(self._begin)
        await self._send(AudioStart(rate=16000))
        if self._kept:
            await self._hear(bytes(self._kept), 0)

    async def _hear(self, audio: bytes, at_ms: int) -> None:
        await self._send(Chunk(timestamp=at_ms, audio=audio))
        if self._lockstep:
            await self._step()

    async def _step(self) -> None:
        """Waits until everything sent so far is decoded."""
        self._pong.clear()
        await self._send(Ping())
        try:
            async with asyncio.timeout(self._ready_s):
                await self._pong.wait()
        except TimeoutError as error:
            raise EngineError("hung", "The stt engine decodes nothing.", "stt") from error
        if self._failure is not None:
            raise self._failure

    async def _send(self, message: Transcribe | AudioStart | Chunk | Flush | AudioStop | Ping) -> None:
        if self._failure is not None:
            raise self._failure
        if self._connection is None:
            raise EngineError("closed", "The stt engine is gone.", "stt")
        await self._connection.send(message.event(), 2.0)

    async def _answer(self, deadline_s: float) -> Transcript:
        """The final text. A recogniser that is slow but tells of progress gets `ready_s` more; replacing it takes longer."""
        asked_s = self._told_s = time.monotonic()
        while not self._final.done():
            last_s = min(self._told_s + deadline_s, asked_s + deadline_s + self._ready_s)
            if (left_s := last_s - time.monotonic()) <= 0:
                raise EngineError("deadline", f"The stt engine gave no text in {deadline_s:g} s.", "stt")
            await self._child.outlast(self._final, left_s)
        return self._final.result()

    async def _read(self, connection: Connection) -> None:
        try:
            while True:
                event = await connection.receive()
                self._told_s = time.monotonic()
                if Partial.matches(event):
                    partial = Partial.from_event(event)
                    self._on_partial(replace(partial, audio_ms=partial.audio_ms + self._offset_ms))
                elif Transcript.matches(event):
                    self._resolve(Transcript.from_event(event))
                elif Pong.matches(event):
                    self._pong.set()
                elif Failure.matches(event):
                    failure = Failure.from_event(event)
                    self._reject(SttError(failure.code, failure.text))
                elif not event.type.startswith("transcript-"):  # Wyoming's own streaming events may come too
                    raise EngineError("garbage", f"The stt engine sent '{event.type}' into an utterance.", "stt")
        except EngineError as error:
            self._failure = error
            self._pong.set()
            self._reject(error)

    def _resolve(self, transcript: Transcript) -> None:
        if not self._final.done():
            self._final.set_result(transcript)

    def _reject(self, error: EngineError | SttError) -> None:
        if not self._final.done():
            self._final.set_exception(error)
            self._final.exception()  # it may never be asked for

    # -- a second try ---------------------------------------------------------------------------------------------

    async def _trying(self, step: Callable[[], Awaitable[T]], resent: bool = False) -> T | None:
        """Does `step`; where the recogniser fails, its successor gets the whole utterance and `step` is done again.

        `resent`: reopening already gives the audio of `step` again, so that nothing is left to do.
        """
        for attempt in range(RETRIES + 1):
            try:
                if attempt and step != self._open:
                    await self._open()
                    if resent:
                        return None
                return await step()
            except EngineError as error:
                log.warning("stt: %s", error)
                self._child.suspect(error)
                await self._close()
                self.second_tries += 1
                if attempt == RETRIES:
                    raise
        return None

    async def _close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        if self._connection is not None:
            with contextlib.suppress(EngineError):
                await self._connection.close()
        self._connection = None


async def compile_ahead(child: Child, begin: Transcribe, deadline_s: float = 30.0) -> None:
    """Has the recogniser make itself ready for utterances like `begin`. Raises EngineError or SttError."""
    async with Transcription(child, begin, deadline_s, lambda partial: None, lockstep=False) as empty:
        await empty.finish(deadline_s)
