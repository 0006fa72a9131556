"""In: the sound engine's connection. Out: wake words, blocks of speech, and a way to play.

One reader for the whole connection hands every message to whoever waits for it; nothing here decides anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from wyoming.event import Event

from appliance.conversation.clients.wake_progress import WakeProgress
from appliance.errors import EngineError, PlayError
from appliance.events import Bus, Hearing, HearingChanged, NearMiss
from appliance.settings.supervision import SupervisorSettings
from appliance.wire import sound
from appliance.wire.frame import Connection
from appliance.wire.message import Failure, Message, Ping, Pong

log = logging.getLogger(__name__)

HEARD_BLOCKS = 320
"""Blocks of some 32 ms kept for a slow listener: ten seconds."""


@dataclass(frozen=True, slots=True)
class PlaybackResult:
    """How a playback went. `first_ns` is CLOCK_MONOTONIC of its first audible sample; None if there was none."""

    first_ns: int | None
    ended_ns: int
    cancelled: bool


class Listening:
    """The microphone, open. Iterate to get blocks; closing it ends the flow."""

    def __init__(self, lossless: bool) -> None:
        self._blocks: asyncio.Queue[sound.Heard | EngineError] = asyncio.Queue(HEARD_BLOCKS)
        self._lossless = lossless
        self._closed = False
        self.dropped = 0

    async def put(self, block: sound.Heard) -> None:
        if self._closed:
            return
        if not self._lossless and self._blocks.full():
            self._blocks.get_nowait()
            self.dropped += 1
        await self._blocks.put(block)

    def close(self) -> None:
        """Nobody listens any more: a reader held up by a full queue goes on."""
        self._closed = True
        while not self._blocks.empty():
            self._blocks.get_nowait()

    def fail(self, error: EngineError) -> None:
        if self._blocks.full():
            self._blocks.get_nowait()
        self._blocks.put_nowait(error)

    async def __aiter__(self) -> AsyncIterator[sound.Heard]:
        while True:
            block = await self._blocks.get()
            if isinstance(block, EngineError):
                raise block
            yield block


class SoundClient:
    """Client of the sound engine. `session` is run by the supervisor on every new connection."""

    def __init__(self, settings: SupervisorSettings, bus: Bus, lossless: bool = False) -> None:
        """`lossless`: never drop a block, hold the source up instead (recordings fed faster than real time)."""
        self._settings = settings
        self._bus = bus
        self._lossless = lossless
        self._connection: Connection | None = None
        self._listening: Listening | None = None
        self._plays = itertools.count(1)
        self._playing: dict[str, _Play] = {}
        self._muted = False
        self._volumes: dict[str, int] = {}
        self.hearing = Hearing.DEAF
        self.deaf_reason: str | None = "The sound engine has not started."
        self.counters: dict[str, float] = {}
        self._claim: tuple[Hearing, str | None] = (self.hearing, self.deaf_reason)
        """What the engine said of itself last."""
        self._progress = WakeProgress()
        self.dropped_blocks = 0
        self.on_detection: Callable[[sound.Detection], None] = lambda detection: None
        self.on_piece: Callable[[str, int, bytes], None] = lambda voice, rate_hz, piece: None
        """Sees everything that is played: (voice, rate in hertz, mono S16)."""

    # -- the connection's life ------------------------------------------------------------------------------------

    async def session(self, connection: Connection) -> None:
        """Talks until the connection fails; whoever waits on the ear then gets the error."""
        self._connection = connection
        self._progress = WakeProgress()
        beating = asyncio.ensure_future(self._beat(connection))
        try:
            await connection.send(sound.Mute(self._muted).event())
            for voice, percent in self._volumes.items():
                await connection.send(sound.Volume(percent, voice).event())
            while True:
                await self._dispatch(await connection.receive(self._settings.hung_s))
        except EngineError as error:
            self._lost(error)
            raise
        finally:
            beating.cancel()
            self._connection = None
            self._lost(EngineError("closed", "The sound engine is being replaced.", "listen"))

    async def _beat(self, connection: Connection) -> None:
        with contextlib.suppress(EngineError):
            while True:
                await connection.send(Ping().event(), self._settings.hung_s)
                await asyncio.sleep(self._settings.heartbeat_s)

    def _lost(self, error: EngineError) -> None:
        if self._listening is not None:
            self._listening.fail(error)
            self._listening = None
        for play in self._playing.values():
            play.fail(error)
        self._playing.clear()
        self._claim = (Hearing.DEAF, error.message)
        self._hears(*self._claim)

    async def _dispatch(self, event: Event) -> None:
        kind = event.type
        if kind == sound.Heard.kind:
            if self._listening is not None:
                await self._listening.put(sound.Heard.from_event(event))
        elif kind == Pong.kind:
            self.counters = Pong.from_event(event).counters or {}
            self._prove()
        elif kind == sound.Detection.kind:
            self.on_detection(sound.Detection.from_event(event))
        elif kind == sound.NearWake.kind:
            near = sound.NearWake.from_event(event)
            self._bus.publish(NearMiss(wake_word=near.name, score=near.score))
        elif kind == sound.EarChanged.kind:
            changed = sound.EarChanged.from_event(event)
            self._claim = (_hearing(changed.hearing), changed.reason)
            self._prove()
        elif kind == sound.PlayFirst.kind:
            first = sound.PlayFirst.from_event(event)
            if play := self._playing.get(first.play):
                play.first_ns = first.mono_ns
                play.on_first(first.mono_ns)
        elif kind == sound.Played.kind:
            played = sound.Played.from_event(event)
            if play := self._playing.pop(played.play, None):
                play.end(played)
        elif kind == Failure.kind:
            log.warning("sound: %s", Failure.from_event(event).text)
        elif kind not in (sound.PlayPosition.kind, sound.Fed.kind):
            raise EngineError("garbage", f"The sound engine sent '{kind}', which nobody knows.", "listen")

    def _prove(self) -> None:
        """What the engine says of itself holds only while its wake words advance."""
        stands_still = self._progress.look(self.counters, self._muted)
        if stands_still is not None and self._claim[0] is Hearing.HEARING:
            self._hears(Hearing.DEAF, stands_still)
        else:
            self._hears(*self._claim)

    def _hears(self, hearing: Hearing, reason: str | None) -> None:
        if (hearing, reason) == (self.hearing, self.deaf_reason):
            return  # another reason is news as well: "has not started" must not stand for a missing microphone
        self.hearing, self.deaf_reason = hearing, reason
        self._bus.publish(HearingChanged(hearing=hearing, reason=reason))

    async def _send(self, message: Message) -> None:
        if self._connection is None:
            raise EngineError("not-ready", "The sound engine is not ready.", "listen")
        await self._connection.send(message.event())

    # -- listening ------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def listen(self, from_ms: int | None) -> AsyncIterator[Listening]:
        """Opens the microphone from `from_ms` on its time line (None: now) for as long as the context lasts."""
        listening = self._listening = Listening(self._lossless)
        try:
            await self._send(sound.Listen(from_ms))
            yield listening
        finally:
            listening.close()
            self.dropped_blocks += listening.dropped
            if self._listening is listening:
                self._listening = None
                with contextlib.suppress(EngineError):
                    await self._send(sound.ListenStop())

    def begin_muted(self, muted: bool) -> None:
        """Closed from the very first connection on; before anything runs."""
        self._muted = muted

    async def mute(self, muted: bool) -> None:
        """Closes or opens the microphone; remembered over a restart of the engine."""
        self._muted = muted
        with contextlib.suppress(EngineError):
            await self._send(sound.Mute(muted))

    @property
    def muted(self) -> bool:
        return self._muted

    # -- playing --------------------------------------------------------------------------------------------------

    async def set_volume(self, percent: int, voice: str = "reply") -> None:
        """Loudness of a voice, 0..100; remembered over a restart of the engine."""
        self._volumes[voice] = percent
        with contextlib.suppress(EngineError):
            await self._send(sound.Volume(percent, voice))

    async def play(
        self,
        pieces: AsyncIterator[bytes],
        rate_hz: int,
        voice: str = "reply",
        stall_s: float = 2.0,
        on_first: Callable[[int], None] = lambda first_ns: None,
    ) -> PlaybackResult:
        """Plays mono S16 pieces and waits until the card has drained. Being cancelled silences the card.

        Raises PlayError where the card failed, EngineError where the sound engine did.
        """
        play = _Play(on_first)
        name = f"play-{next(self._plays)}"
        self._playing[name] = play
        try:
            await self._send(sound.PlayStart(name, rate_hz, voice))
            sent_bytes = 0
            started_s = time.monotonic()
            async for piece in pieces:
                if play.ended.done():
                    break
                await self._send(sound.PlayAudio(name, piece))
                self.on_piece(voice, rate_hz, piece)
                sent_bytes += len(piece)
            await self._send(sound.PlayStop(name))
            left_s = max(0.0, sent_bytes / 2 / rate_hz - (time.monotonic() - started_s))
            return await self._drained(play, left_s + sound.MOST_HELD_S + stall_s)
        except asyncio.CancelledError:
            with contextlib.suppress(EngineError):
                await self._send(sound.PlayCancel())
            raise
        finally:
            self._playing.pop(name, None)

    async def _drained(self, play: _Play, deadline_s: float) -> PlaybackResult:
        try:
            async with asyncio.timeout(deadline_s):
                played = await play.ended
        except TimeoutError as error:
            with contextlib.suppress(EngineError):
                await self._send(sound.PlayCancel())
            raise PlayError("stalled", "The loudspeaker did not finish in time.") from error
        if played.error:
            raise PlayError("card", played.error)
        return PlaybackResult(play.first_ns, played.mono_ns, played.cancelled)


class _Play:
    """A playback under way."""

    def __init__(self, on_first: Callable[[int], None]) -> None:
        self.on_first = on_first
        self.first_ns: int | None = None
        self.ended: asyncio.Future[sound.Played] = asyncio.get_running_loop().create_future()

    def end(self, played: sound.Played) -> None:
        if not self.ended.done():
            self.ended.set_result(played)

    def fail(self, error: EngineError) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
            self.ended.exception()  # somebody may have stopped waiting


def _hearing(word: str) -> Hearing:
    try:
        return Hearing(word)
    except ValueError as error:
        raise EngineError("garbage", f"The sound engine cannot be '{word[:20]}'.", "listen") from error
