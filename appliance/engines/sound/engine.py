"""In: the supervisor's messages. Out: the ear and the mouth served: detections, audio, playback progress, heartbeats.

Who is told what: `ear`, `detection` and `near-wake` go to every connection that sent `describe`; audio to the one that
sent the last `listen`; `play-first`, `play-position` and `played` to the one that sent `play-start`; `fed` to the one
that sent `feed`. A connection that closes ends its own `listen` and its own playback.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import numpy as np
from wyoming.event import Event

from appliance.engines.host import Engine
from appliance.engines.sound.ear import Ear
from appliance.engines.sound.echo import Echo
from appliance.engines.sound.feed import FeedSource, Recording
from appliance.engines.sound.outlet import Outlet
from appliance.engines.sound.playback import HANGS, VOICES, Playback, Track
from appliance.engines.sound.sinks import AlsaSink, TimedSink
from appliance.engines.sound.vad import open_vad
from appliance.engines.sound.wake import WakeEngine, open_engine
from appliance.errors import WakeError
from appliance.events import Hearing
from appliance.settings.child import ChildConfig
from appliance.wire.frame import Connection
from appliance.wire.message import Describe, Failure, Message, Ping, Pong, Ready
from appliance.wire.sound import (
    Detection,
    EarChanged,
    Feed,
    Heard,
    Listen,
    ListenStop,
    Mute,
    PlayAudio,
    PlayCancel,
    Played,
    PlayStart,
    PlayStop,
    Volume,
)

log = logging.getLogger(__name__)

WATCH_S = 0.2
"""How often the health of source and sink is looked at."""


class Source(Protocol):
    """Where microphone audio comes from: a card or a feed."""

    problem: str | None
    """One sentence where no audio comes, and why."""
    paced: bool
    """Frames arrive at a known pace, so that their absence is a fault."""

    @property
    def blocked(self) -> bool:
        """The driver or the sound server hangs at this moment."""
        ...

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def watch(self) -> None: ...
    def counters(self) -> dict[str, float]: ...


class SoundEngine:
    """One engine, several connections."""

    def __init__(self, config: ChildConfig) -> None:
        """Raises ListenError for a broken model of the voice activity detector; a wake engine that cannot run is told
        in `describe` and leaves the button."""
        sound, wake = config.settings.sound, config.settings.wake
        self._settings = sound
        self.wake_problem: WakeError | None = None
        self._wake: WakeEngine | None = None
        try:
            self._wake = open_engine(wake, config.models.wake)
        except WakeError as error:
            log.error("wake: %s", error)
            self.wake_problem = error
        self._vad_model = config.models.vad
        self._vad = open_vad(config.models.vad)
        self._ear = Ear(sound, wake, self._wake, self._vad, self._heard)
        self._echo = Echo() if sound.echo_cancel and sound.source == "alsa" else None
        self._source: Source
        self._feed: FeedSource | None = None
        if sound.source == "feed":
            self._source = self._feed = FeedSource(sound.feed_speed, self._ear, self._backlog)
            make_sink: Callable[[], AlsaSink | TimedSink] = lambda: TimedSink(  # noqa: E731
                sound.feed_speed, sound.playback_buffer_ms / 1000
            )
        else:
            from appliance.engines.sound.capture import AlsaSource

            self._source = AlsaSource(sound, self._ear, self._echo)
            make_sink = lambda: AlsaSink(sound)  # noqa: E731
        self._playback = Playback(make_sink, sound.lead_in_ms / 1000, sound.volume_percent, self._echo)
        self._watchers: set[Outlet] = set()
        self._outlets: set[Outlet] = set()
        self._listener: Outlet | None = None
        self._player: Outlet | None = None
        self._hearing = EarChanged(Hearing.DEAF, "The microphone has given no audio yet.")
        self._dropped_before = 0

    def start(self) -> None:
        """Starts the threads."""
        self._source.start()
        self._playback.run()

    def stop(self) -> None:
        self._source.stop()

    # ---- called on the source's thread

    def _heard(self, message: Message) -> None:
        if isinstance(message, Heard):
            if (listener := self._listener) is not None:
                listener.put(message)
            return
        if isinstance(message, Detection):
            log.info("wake: %s %.3f, %.0f dBFS", message.name, message.score, message.level_dbfs or 0.0)
        for outlet in tuple(self._watchers):
            outlet.put(message)

    def _backlog(self) -> int:
        listener = self._listener
        return 0 if listener is None else listener.backlog()

    # ---- on the event loop

    async def watch(self) -> None:
        """Watches source and sink, and tells when the ear becomes deaf, muted or hears again."""
        while True:
            self._source.watch()
            self._playback.watch()
            self._ear.speaking = self._playback.speaking
            self._update_hearing()
            await asyncio.sleep(WATCH_S)

    def _update_hearing(self) -> None:
        now = self._judge()
        if now == self._hearing:
            return
        changed = now.hearing != self._hearing.hearing
        self._hearing = now
        if changed:
            log.log(
                logging.WARNING if now.hearing == Hearing.DEAF else logging.INFO,
                "ear: %s %s",
                now.hearing,
                now.reason or "",
            )
        for outlet in tuple(self._watchers):
            outlet.put(now)

    def _judge(self) -> EarChanged:
        age_s = self._age_s()
        if self._source.paced and age_s > self._settings.stall_s:
            reason = self._source.problem or "The microphone gives no audio."
            return EarChanged(Hearing.DEAF, reason)
        if self._ear.muted:
            return EarChanged(Hearing.MUTED)
        if self._source.paced and self._ear.position == 0:
            return self._hearing if self._source.problem is None else EarChanged(Hearing.DEAF, self._source.problem)
        return EarChanged(Hearing.HEARING)

    def _age_s(self) -> float:
        return max(0.0, (time.monotonic_ns() - self._ear.last_frame_ns) / 1e9)

    async def handle(self, connection: Connection) -> None:
        """Serves one connection until it closes."""
        outlet = Outlet(connection)
        sending = asyncio.create_task(outlet.run(), name="sound-outlet")
        self._outlets.add(outlet)
        try:
            while True:
                self._take(await connection.receive(), outlet)
        finally:
            sending.cancel()
            self._forget(outlet)

    def _forget(self, outlet: Outlet) -> None:
        self._outlets.discard(outlet)
        self._watchers.discard(outlet)
        self._dropped_before += outlet.dropped
        if self._listener is outlet:
            self._stop_listening()
        if self._player is outlet:
            self._player = None
            self._playback.cancel()

    def _take(self, event: Event, outlet: Outlet) -> None:
        """Does what one message asks. Raises EngineError where it is malformed."""
        match event.type:
            case Ping.kind:
                outlet.put(Pong(Ping.of(event).text, self.counters()))
            case Describe.kind:
                self._describe(outlet)
            case Listen.kind:
                self._listener = outlet
                if self._echo is not None:
                    self._echo.prepare()
                self._ear.listen(Listen.of(event).from_ms)
                self._decided()
            case ListenStop.kind:
                self._stop_listening()
            case Mute.kind:
                self._ear.mute(Mute.of(event).muted)
                self._update_hearing()
                self._decided()
            case Feed.kind:
                self._take_feed(Feed.of(event), outlet)
            case _:
                self._take_play(event, outlet)

    def _take_play(self, event: Event, outlet: Outlet) -> None:
        match event.type:
            case PlayStart.kind:
                self._start_playing(PlayStart.of(event), outlet)
            case PlayAudio.kind:
                audio = PlayAudio.of(event)
                self._playback.add(audio.play, _samples(audio.audio))
            case PlayStop.kind:
                self._playback.complete(PlayStop.of(event).play)
            case PlayCancel.kind:
                self._playback.cancel()
            case Volume.kind:
                volume = Volume.of(event)
                if volume.voice in VOICES:
                    self._playback.volume(volume.voice, volume.percent)
                else:
                    outlet.put(Failure(f"There is no voice '{volume.voice}'.", "no-voice"))
            case _:
                outlet.put(
                    Failure(f"The sound engine does not know the message '{event.type[:40]}'.", "unknown-message")
                )

    def _describe(self, outlet: Outlet) -> None:
        self._update_hearing()
        self._watchers.add(outlet)
        words = self._wake.words if self._wake else ()
        hashes = {word.name: word.sha256 for word in words if word.sha256 is not None}
        if self._vad_model is not None:
            hashes |= {f"vad-{role}": sha for role, sha in self._vad_model.sha256.items()}
        libraries = ["pyalsaaudio", "numpy"] + ([self._wake.library] if self._wake else [])
        outlet.put(
            Ready(
                engine=f"{self._wake.name if self._wake else 'none'}+{self._vad.name}",
                model=",".join(word.name for word in words) or None,
                sha256=hashes,
                versions={name: importlib.metadata.version(name) for name in libraries},
            )
        )
        if self.wake_problem is not None:
            outlet.put(Failure(self.wake_problem.message, self.wake_problem.code))
        outlet.put(self._hearing)

    def _start_playing(self, start: PlayStart, outlet: Outlet) -> None:
        if start.voice not in VOICES or not 4000 <= start.rate <= 192000:
            outlet.put(Failure(f"Cannot play voice '{start.voice}' at {start.rate} Hz.", "bad-play"))
            return
        if self._source.blocked:  # opening the loudspeaker would stop this whole process
            outlet.put(Played(start.play, time.monotonic_ns(), error=HANGS))
            return
        self._player = outlet
        if self._echo is not None:
            self._echo.prepare()
        self._ear.speaking = True
        self._playback.start(Track(start.play, start.rate, start.voice, outlet.put))

    def _take_feed(self, feed: Feed, outlet: Outlet) -> None:
        if self._feed is None:
            outlet.put(Failure("Recordings are taken only with sound.source = feed.", "no-feed"))
        elif not self._feed.put(Recording(feed.name, _samples(feed.audio), feed.hold, outlet.put)):
            outlet.put(Failure("Too much audio waits in the feed already.", "feed-full"))

    def _stop_listening(self) -> None:
        self._listener = None
        self._ear.stop_listening()
        self._decided()

    def _decided(self) -> None:
        if self._feed is not None:
            self._feed.decided()

    def counters(self) -> dict[str, float]:
        """What telemetry reports of this engine; ages in ms."""
        return self._source.counters() | {
            "frames": self._ear.position,
            "frame_age_ms": round(self._age_s() * 1000, 1),
            "wake_inferences": self._ear.inferences,
            "detections": self._ear.detections,
            "wake_cpu_s": round(self._ear.wake_cpu_s, 4),
            "dropped_blocks": self._dropped_before + sum(outlet.dropped for outlet in self._outlets),
            "play_underruns": self._playback.underruns,
            "echo_dropped_ms": round(self._echo.dropped_ms, 1) if self._echo is not None else 0.0,
            "play_failures": self._playback.failures,
            "cpu_s": round(time.process_time(), 3),
        }


def _samples(audio: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.frombuffer(audio[: len(audio) // 2 * 2], dtype=np.int16)


@contextlib.asynccontextmanager
async def open_sound(config: ChildConfig) -> AsyncIterator[Engine]:
    """The running engine's connection handler, for engines.host."""
    engine = SoundEngine(config)
    engine.start()
    watching = asyncio.create_task(engine.watch(), name="sound-watch")
    try:
        yield engine.handle
    finally:
        watching.cancel()
        engine.stop()
