"""In: the messages that play, stop and set the volume. Out: the playback does it; whoever asked is told how it goes.

`play-first`, `play-position` and `played` go to the connection that sent `play-start`; when it closes, its playback ends.
"""

from __future__ import annotations

import time

from wyoming.event import Event

from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.outlet import Outlet
from appliance.engines.sound.pcm import samples_of
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.playback.playback import HANGS, Playback
from appliance.engines.sound.playback.track import VOICES, Track
from appliance.engines.sound.protocol import Source
from appliance.wire.message import Failure
from appliance.wire.sound import PlayAudio, PlayCancel, Played, PlayStart, PlayStop, Volume


class Mouth:
    """One loudspeaker, several connections. On the event loop; never blocks."""

    def __init__(self, playback: Playback, source: Source, ear: SoundPipeline, echo: Echo | None) -> None:
        self._playback = playback
        self._source = source
        self._ear = ear
        self._echo = echo
        self._player: Outlet | None = None

    def take(self, event: Event, outlet: Outlet) -> bool:
        """Does what one message asks; False for one that is not the mouth's. Raises EngineError where it is malformed."""
        match event.type:
            case PlayStart.kind:
                self._start(PlayStart.from_event(event), outlet)
            case PlayAudio.kind:
                audio = PlayAudio.from_event(event)
                self._playback.add(audio.play, samples_of(audio.audio))
            case PlayStop.kind:
                self._playback.complete(PlayStop.from_event(event).play)
            case PlayCancel.kind:
                self._playback.cancel()
            case Volume.kind:
                volume = Volume.from_event(event)
                if volume.voice in VOICES:
                    self._playback.volume(volume.voice, volume.percent)
                else:
                    outlet.put(Failure(f"There is no voice '{volume.voice}'.", "no-voice"))
            case _:
                return False
        return True

    def forget(self, outlet: Outlet) -> None:
        """A connection has closed."""
        if self._player is outlet:
            self._player = None
            self._playback.cancel()

    def _start(self, start: PlayStart, outlet: Outlet) -> None:
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
