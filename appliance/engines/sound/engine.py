"""In: the supervisor's messages. Out: the ear and the mouth served: detections, audio, playback progress, heartbeats.

Who is told what: `ear`, `detection` and `near-wake` go to every connection that sent `describe`; audio to the one that
sent the last `listen`; how a playback goes to the one that began it (sound.mouth); `fed` to the one that sent `feed`. A
connection that closes ends its own `listen` and its own playback.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from wyoming.event import Event

from appliance.engines.host import Engine
from appliance.engines.sound.capture.alsa import AlsaSource
from appliance.engines.sound.capture.feed import FeedSource, Recording
from appliance.engines.sound.capture.hearing import HearingMonitor
from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.outlet import Outlet
from appliance.engines.sound.pcm import samples_of
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.playback.mouth import Mouth
from appliance.engines.sound.playback.playback import Playback
from appliance.engines.sound.playback.sinks import AlsaSink, TimedSink
from appliance.engines.sound.protocol import Sink, Source
from appliance.engines.sound.vad import open_vad
from appliance.engines.sound.wake import WakeEngine, open_engine
from appliance.errors import WakeError
from appliance.wire.child import ChildConfig
from appliance.wire.frame import Connection
from appliance.wire.message import Describe, Failure, Message, Ping, Pong, Ready
from appliance.wire.sound import (
    Detection,
    Feed,
    Heard,
    Listen,
    ListenStop,
    Mute,
)

log = logging.getLogger(__name__)

WATCH_S = 0.2
"""How often the health of source and sink is looked at."""


class SoundEngine:
    """One engine, several connections."""

    def __init__(self, config: ChildConfig) -> None:
        """Raises ListenError for a broken model of the voice activity detector; a wake engine that cannot run is told
        in `describe` and leaves the button."""
        sound, wake = config.settings.sound, config.settings.wake
        self.wake_problem: WakeError | None = None
        self._wake: WakeEngine | None = None
        try:
            self._wake = open_engine(wake, config.models.wake)
        except WakeError as error:
            log.error("wake: %s", error)
            self.wake_problem = error
        self._vad_model = config.models.vad
        self._vad = open_vad(config.models.vad)
        self._ear = SoundPipeline(sound, wake, self._wake, self._vad, self._heard)
        self._echo = Echo() if sound.echo_cancel and sound.source == "alsa" else None
        if self._echo is not None:
            self._ear.person = self._echo.person
        self._feed = FeedSource(sound.feed_speed, self._ear, self._backlog) if sound.source == "feed" else None
        self._source: Source = AlsaSource(sound, self._ear, self._echo) if self._feed is None else self._feed
        timed = partial(TimedSink, sound.feed_speed, sound.playback_buffer_ms / 1000)
        make_sink: Callable[[], Sink] = partial(AlsaSink, sound) if self._feed is None else timed
        self._playback = Playback(make_sink, sound.lead_in_ms / 1000, sound.volume_percent, self._echo)
        self._ear.on_suspicion = self._playback.hold
        self._mouth = Mouth(self._playback, self._source, self._ear, self._echo)
        self._watchers: set[Outlet] = set()
        self._outlets: set[Outlet] = set()
        self._listener: Outlet | None = None
        self._hearing = HearingMonitor(self._source, self._ear, sound.stall_s)
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
            self._look()
            await asyncio.sleep(WATCH_S)

    def _look(self) -> None:
        if (changed := self._hearing.look()) is not None:
            for outlet in tuple(self._watchers):
                outlet.put(changed)

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
        self._mouth.forget(outlet)
        if self._feed is not None:
            self._feed.forget(outlet.put)

    def _take(self, event: Event, outlet: Outlet) -> None:
        """Does what one message asks. Raises EngineError where it is malformed."""
        match event.type:
            case Ping.kind:
                outlet.put(Pong(Ping.from_event(event).text, self.counters()))
            case Describe.kind:
                self._describe(outlet)
            case Listen.kind:
                self._listener = outlet
                if self._echo is not None:
                    self._echo.prepare()
                self._ear.listen(Listen.from_event(event).from_ms)
                self._decided()
            case ListenStop.kind:
                self._stop_listening()
            case Mute.kind:
                self._ear.mute(Mute.from_event(event).muted)
                self._look()
                self._decided()
            case Feed.kind:
                self._take_feed(Feed.from_event(event), outlet)
            case kind if not self._mouth.take(event, outlet):
                outlet.put(Failure(f"The sound engine does not know the message '{kind[:40]}'.", "unknown-message"))

    def _describe(self, outlet: Outlet) -> None:
        self._look()
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
        outlet.put(self._hearing.state)

    def _take_feed(self, feed: Feed, outlet: Outlet) -> None:
        if self._feed is None:
            outlet.put(Failure("Recordings are taken only with sound.source = feed.", "no-feed"))
        elif not self._feed.put(Recording(feed.name, samples_of(feed.audio), feed.hold, outlet.put)):
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
            "frame_age_ms": round(self._hearing.age_s() * 1000, 1),
            "wake_inferences": self._ear.inferences,
            "wake_words": len(self._wake.words) if self._wake is not None else 0,
            "detections": self._ear.detections,
            "holds": self._ear.ducking.begun,
            "holds_unconfirmed": self._ear.ducking.unconfirmed,
            "wake_cpu_s": round(self._ear.wake_cpu_s, 4),
            "dropped_blocks": self._dropped_before + sum(outlet.dropped for outlet in self._outlets),
            "play_underruns": self._playback.underruns,
            "echo_dropped_ms": round(self._echo.dropped_ms, 1) if self._echo is not None else 0.0,
            "play_failures": self._playback.failures,
            "cpu_s": round(time.process_time(), 3),
        }


def watch_died(watching: asyncio.Task[None], leave: Callable[[int], object] = os._exit) -> None:
    """Nobody tells any more whether the ear hears: the child ends, and the supervisor replaces it."""
    if not watching.cancelled():
        log.error("The watch over microphone and loudspeaker ended.", exc_info=watching.exception())
        leave(1)


@contextlib.asynccontextmanager
async def open_sound(config: ChildConfig) -> AsyncIterator[Engine]:
    """The running engine's connection handler, for engines.host."""
    engine = SoundEngine(config)
    engine.start()
    watching = asyncio.create_task(engine.watch(), name="sound-watch")
    watching.add_done_callback(watch_died)
    try:
        yield engine.handle
    finally:
        watching.cancel()
        engine.stop()
