"""In: a reply text. Out: pieces of speech as they are made, begun ahead of time where the reply is already known."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from appliance.errors import EngineError, TtsError
from appliance.supervisor.child import Child
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStop, Failure
from appliance.wire.tts import Speech, SpeechStart, Synthesize, Warm

LOWEST_HZ, HIGHEST_HZ = 8000, 96000
"""Rates of speech that are played; mono S16 only."""
PIECES = 200
"""Pieces of speech buffered ahead of the card; then the synthesiser waits."""


AHEAD_S = 5.0
"""Speech given to the card before its time: a long reply waits here, piece by piece, and not in the sound engine's memory."""


class Saying:
    """A text being spoken. Made by `Voice.say`; `close` cancels the synthesis at once."""

    def __init__(self, child: Child, text: str, ready_s: float, pace: float) -> None:
        self.text = text
        self._pace = pace
        self.cached = False
        self.rate_hz = 0
        self.first_ns: int | None = None
        """When the first piece was there."""
        self._child = child
        self._ready_s = ready_s
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once an engine has the text; another one for its successor."""
        self._failure: EngineError | TtsError | None = None
        self._delivered_bytes = 0
        self._task = asyncio.create_task(self._make(), name="tts reader")

    async def started(self, deadline_s: float) -> None:
        """Waits for the first piece. Raises TtsError or EngineError where there will be none in time.

        `deadline_s` is for an engine that has the text, on the engine's own time (see `Watch`): what it takes to replace a
        dead one is bounded by its connecting.
        """
        while not self._started.done():
            await asyncio.wait((self._started, self._asked, self._task), return_when=asyncio.FIRST_COMPLETED)
            asked = self._asked
            if not await self._child.outlast(self._started, deadline_s) and asked is self._asked:
                self._child.suspect(EngineError("deadline", f"The tts engine was silent for {deadline_s:g} s.", "tts"))
                raise TtsError("deadline", f"Nothing was spoken within {deadline_s:g} s.")
        await asyncio.shield(self._started)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The speech, mono S16 at `rate_hz`, at most AHEAD_S ahead. Raises the failure that ended it early, if one did."""
        begun_s: float | None = None
        given_bytes = 0
        while (piece := await self._pieces.get()) is not None:
            begun_s = begun_s or time.monotonic()
            given_bytes += len(piece)
            if self._pace:
                early_s = given_bytes / 2 / self.rate_hz / self._pace - AHEAD_S - (time.monotonic() - begun_s)
                await asyncio.sleep(max(0.0, early_s))
            yield piece
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Nobody wants it any more."""
        self._task.cancel()

    async def _make(self) -> None:
        try:
            try:
                await self._read()
            except EngineError as error:  # one more try with its successor
                self._child.suspect(error)
                await self._read(skip_bytes=self._delivered_bytes)
        except (EngineError, TtsError) as error:
            self._failure = error
            self._begin_no_more(error)
        except asyncio.CancelledError:
            self._begin_no_more(TtsError("cancelled", "The reply is not wanted any more."))
            with contextlib.suppress(asyncio.QueueFull):
                self._pieces.put_nowait(None)
            raise
        await self._pieces.put(None)  # waits behind what nobody has taken yet: lost, the reply would never end

    def _begin_no_more(self, error: EngineError | TtsError) -> None:
        if not self._started.done():
            self._started.set_exception(error)
            self._started.exception()  # it may never be asked for

    async def _read(self, skip_bytes: int = 0) -> None:
        if self._asked.done():
            self._asked = asyncio.get_running_loop().create_future()
        connection = await self._child.connect(self._ready_s)
        async with connection:
            await connection.send(Synthesize(self.text).event())
            self._asked.set_result(None)
            while True:
                event = await connection.receive(self._ready_s + 3.0)
                if AudioStop.matches(event):
                    return
                if SpeechStart.matches(event):
                    start = SpeechStart.from_event(event)
                    if not (LOWEST_HZ <= start.rate <= HIGHEST_HZ and (start.width, start.channels) == (2, 1)):
                        raise EngineError("garbage", "The tts engine speaks in a format that is not played.", "tts")
                    self.rate_hz, self.cached = start.rate, start.cached
                elif Speech.matches(event):
                    skip_bytes = await self._take(Speech.from_event(event).audio, skip_bytes)
                elif Failure.matches(event):
                    failure = Failure.from_event(event)
                    raise TtsError(failure.code, failure.text)
                else:
                    raise EngineError("garbage", f"The tts engine sent '{event.type}' into a reply.", "tts")

    async def _take(self, audio: bytes, skip_bytes: int) -> int:
        if not self.rate_hz:
            raise EngineError("garbage", "The tts engine sent speech before it said what kind.", "tts")
        if skip_bytes >= len(audio):
            return skip_bytes - len(audio)
        audio = audio[skip_bytes:]
        if self.first_ns is None:
            self.first_ns = time.monotonic_ns()
        if not self._started.done():
            self._started.set_result(None)
        await self._pieces.put(audio)
        self._delivered_bytes += len(audio)
        return 0


class TtsClient:
    """Client of the synthesiser."""

    def __init__(self, child: Child, pace: float = 1.0, ready_s: float = 3.0) -> None:
        """`pace`: how many times faster than real time the loudspeaker takes speech; 0: as fast as can be."""
        self._child = child
        self._pace = pace
        self._ready_s = ready_s

    def say(self, text: str) -> Saying:
        """Begins to speak `text`; nothing is audible before its pieces are played."""
        return Saying(self._child, text, self._ready_s, self._pace)

    async def warm(self, texts: tuple[str, ...]) -> None:
        """Asks for the phrase cache to be filled with `texts` when nothing else is to do."""
        with contextlib.suppress(EngineError):
            connection: Connection = await self._child.connect(self._ready_s)
            async with connection:
                await connection.send(Warm(texts).event())
                await connection.receive(600.0)  # its end, or the engine's
