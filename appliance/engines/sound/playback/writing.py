"""In: one track and an open loudspeaker. Out: the track written to it 10 ms at a time, silent while the playback is held.

A card that is told to be silent forgets what it was given and has not played yet; that is kept here and given again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np

from appliance.engines.sound.capture.resample import Resampler
from appliance.engines.sound.capture.ring import Ring
from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.engines.sound.playback.progress import POSITION_S, Progress
from appliance.engines.sound.playback.track import Track
from appliance.engines.sound.protocol import Sink
from appliance.wire.sound import MOST_HELD_S

PIECE_S = 0.01
RISE_S = 0.015
"""A voice that was held comes back within this: no click, and no syllable is lost."""
RECENT_S = 1.0
"""What the card may not have played yet: its buffer is 0.5 s at the most."""


@dataclass(slots=True)
class Shared:
    """What the playback thread and those who hold, silence and watch it both know."""

    gains: dict[str, float]
    """Amplitude of each voice."""
    lead_in_s: float
    echo: Echo | None = None
    """Is given all that is written."""
    change: threading.Condition = field(default_factory=threading.Condition)
    """Of the track, its pieces and `held`."""
    track: Track | None = None
    held: bool = False
    generation: int = 0
    """Of the thread that may write."""
    busy_since_s: float | None = None
    """When the card was last given something; None while there is nothing to give."""


class Writing:
    """The writing of one track."""

    def __init__(self, shared: Shared, track: Track, sink: Sink, generation: int) -> None:
        self._shared, self._track, self._sink = shared, track, sink
        self._generation = generation
        self._resampler = Resampler(track.rate_hz, sink.rate_hz)
        self._to_echo = Resampler(sink.rate_hz, RATE_HZ)
        self._recent = Ring(int(RECENT_S * track.rate_hz))
        self._progress = Progress(track, sink)
        self._rise = self._risen = int(RISE_S * sink.rate_hz)

    def go(self) -> None:
        """Writes until all has sounded or the track is cancelled."""
        self._begin()
        while self._live:
            while (samples := self._next_piece()) is not None:
                self._recent.put(samples)
                self._write(self._resampler.take(samples))
            if self._live and self._drained():
                self._progress.ended()
                return

    @property
    def _live(self) -> bool:
        return not self._track.cancelled and self._generation == self._shared.generation

    def _begin(self) -> None:
        if (echo := self._shared.echo) is not None:
            echo.begin()
        self._write_raw(np.zeros(int(self._shared.lead_in_s * self._sink.rate_hz), dtype=np.int16))

    def _next_piece(self) -> Samples | None:
        """10 ms of the track; waits for the synthesiser. None at its end."""
        change, track, shared = self._shared.change, self._track, self._shared
        while self._live:
            if shared.held:
                self._pause()
            with change:
                if not self._live:
                    break  # cancelled while it was held: not another sound
                if track.pieces:
                    shared.busy_since_s = time.monotonic()
                    return track.take(max(1, int(track.rate_hz * PIECE_S)))
                if track.complete:
                    break
                if not shared.held:
                    shared.busy_since_s = None  # waiting for audio is no fault of the card
                    self._progress.tell()
                    change.wait(POSITION_S)
        shared.busy_since_s = time.monotonic()
        return None

    def _pause(self) -> None:
        """Silence now. What the card had not played is the first to sound when it is over."""
        track, shared, began_s = self._track, self._shared, time.monotonic()
        pending_s = self._sink.pending_s()
        self._sink.drop()
        self._progress.unwritten(pending_s)
        if shared.echo is not None:
            shared.echo.unplayed(pending_s)
        with shared.change:
            shared.busy_since_s = None
            shared.change.wait_for(lambda: not (shared.held and self._live), MOST_HELD_S - track.held_s)
            shared.held = False
            track.held_s += time.monotonic() - began_s
            end = self._recent.end
            if len(unheard := self._recent.cut(max(self._recent.start, end - round(pending_s * track.rate_hz)), end)):
                track.pieces.appendleft(unheard)
            shared.busy_since_s = time.monotonic()
        if self._live:
            self._resume()

    def _resume(self) -> None:
        self._sink.again()
        self._resampler.reset()
        self._to_echo.reset()
        self._risen = 0
        self._begin()

    def _write(self, samples: Samples) -> None:
        loud = samples * self._shared.gains[self._track.voice]
        if self._risen < self._rise:
            loud *= np.clip((self._risen + np.arange(len(samples))) / self._rise, 0.0, 1.0)
            self._risen += len(samples)
        self._write_raw(np.rint(loud).clip(-32768, 32767).astype(np.int16))
        self._progress.written(samples)

    def _write_raw(self, samples: Samples) -> None:
        if len(samples):
            if (echo := self._shared.echo) is not None:
                echo.played(self._to_echo.take(samples))
            self._sink.write(samples)
        self._shared.busy_since_s = time.monotonic()

    def _drained(self) -> bool:
        """Waits until the card has played everything; a cancel or a pause ends the wait."""
        self._write(self._resampler.flush())
        shared = self._shared
        while self._live and not shared.held and (left_s := self._sink.pending_s()) > 0:
            shared.busy_since_s = time.monotonic()
            with shared.change:
                shared.change.wait(min(left_s, PIECE_S))
        return self._live and not shared.held
