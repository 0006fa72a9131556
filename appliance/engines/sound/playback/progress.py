"""In: samples of a playback as they are written. Out: whoever asked is told of the first audible one, and how far it is."""

from __future__ import annotations

import time

from appliance.engines.sound.pcm import Samples, first_audible
from appliance.engines.sound.playback.track import Track
from appliance.engines.sound.protocol import Sink
from appliance.wire.sound import PlayFirst, PlayPosition

POSITION_S = 0.25


class Progress:
    """Of one track at one open sink. For the playback thread."""

    def __init__(self, track: Track, sink: Sink) -> None:
        self._track = track
        self._sink = sink
        self._written = 0
        self._first_told = False
        self._told_s = time.monotonic()

    def written(self, samples: Samples) -> None:
        """`samples` (here as loud as they were made) were given to the card."""
        self._written += len(samples)
        if not self._first_told and (first := first_audible(samples)) is not None:
            self._first((len(samples) - first) / self._sink.rate_hz)
        self.tell()

    def unwritten(self, seconds: float) -> None:
        """The last of it was taken back from the card."""
        self._written = max(0, self._written - round(seconds * self._sink.rate_hz))

    def tell(self) -> None:
        """The position, where it is time."""
        now_s = time.monotonic()
        if now_s - self._told_s >= POSITION_S:
            self._told_s = now_s
            played_s = max(0.0, self._written / self._sink.rate_hz - self._sink.pending_s())
            self._track.tell(PlayPosition(self._track.play, int(played_s * 1000)))

    def ended(self) -> None:
        """All has sounded; maybe all of it was too quiet to hear."""
        if not self._first_told:
            self._first(0.0)

    def _first(self, since_s: float) -> None:
        self._first_told = True
        sounds_in_s = self._sink.pending_s() - since_s
        self._track.tell(PlayFirst(self._track.play, time.monotonic_ns() + int(max(0.0, sounds_in_s) * 1e9)))
