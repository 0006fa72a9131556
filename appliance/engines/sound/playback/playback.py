"""In: pieces of a reply. Out: sound at the card, and where it is: first audible sample, position, drained, cancelled.

One thread; one playback at a time. Pieces of 10 ms are written, so that a cancel or a hold is obeyed within one of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.pcm import Samples
from appliance.engines.sound.playback.track import VOICES, Track
from appliance.engines.sound.playback.writing import Shared, Writing
from appliance.engines.sound.protocol import Sink
from appliance.errors import DeviceError
from appliance.wire.sound import MOST_HELD_S, Played

log = logging.getLogger(__name__)

STUCK_S = 1.0
"""A loudspeaker that took nothing for this long has failed."""
DECAY_S = 0.3
"""The room and the card's own buffers still sound this long after the last sample."""
MOST_HUNG = 3
"""Threads left behind in a driver that hangs; then nothing is tried until one of them comes back."""
HANGS = "The loudspeaker takes no audio: its driver or server hangs."


class Playback:
    """The mouth. Methods are the event loop's and never block; `tell` is called on the playback thread."""

    def __init__(self, make_sink: Callable[[], Sink], lead_in_s: float, percent: int, echo: Echo | None = None) -> None:
        """`echo` is given all that is written, to remove it from what the microphone hears."""
        self._make_sink = make_sink
        self._shared = Shared(dict.fromkeys(VOICES, _gain(percent)), lead_in_s, echo)
        self._sounding_until_s = 0.0
        self._past_underruns = 0
        self._sink: Sink | None = None
        self.failures = 0
        self._thread: threading.Thread | None = None
        self._hung: list[threading.Thread] = []

    @property
    def speaking(self) -> bool:
        """Whether something sounds in the room."""
        return self._shared.track is not None or time.monotonic() < self._sounding_until_s

    @property
    def underruns(self) -> int:
        return self._past_underruns + (self._sink.underruns if self._sink is not None else 0)

    def run(self) -> None:
        """Starts the thread."""
        self._shared.generation += 1
        self._thread = threading.Thread(
            target=self._work, args=(self._shared.generation,), name="playback", daemon=True
        )
        self._thread.start()

    def volume(self, voice: str, percent: int) -> None:
        """Loudness of one voice, 0..100; takes effect within 10 ms plus the buffer."""
        self._shared.gains[voice] = _gain(percent)

    def start(self, track: Track) -> None:
        """Ends what plays and begins `track`; a card that still hangs in MOST_HUNG threads fails it at once."""
        self._hung = [thread for thread in self._hung if thread.is_alive()]
        if len(self._hung) >= MOST_HUNG:
            self._end(track, error=HANGS)
            return
        with self._shared.change:
            if self._shared.track is not None:
                self._shared.track.cancelled = True
            self._shared.track, self._shared.held = track, False
            self._shared.change.notify()

    def add(self, play: str, samples: Samples) -> None:
        """More audio for the playback `play`; ignored where that is over."""
        with self._shared.change:
            if self._shared.track is not None and self._shared.track.play == play:
                self._shared.track.pieces.append(samples)
                self._shared.change.notify()

    def complete(self, play: str) -> None:
        """No more audio comes for `play`."""
        with self._shared.change:
            if self._shared.track is not None and self._shared.track.play == play:
                self._shared.track.complete = True
                self._shared.change.notify()

    def cancel(self) -> None:
        """Silence now, whatever is buffered."""
        with self._shared.change:
            if self._shared.track is not None:
                self._shared.track.cancelled = True
                self._shared.change.notify()

    def hold(self, held: bool) -> None:
        """Silence while `held`, for MOST_HELD_S of a track in all; nothing of it is lost. From any thread."""
        with self._shared.change:
            self._shared.held = held and self._shared.track is not None and self._shared.track.held_s < MOST_HELD_S
            self._shared.change.notify()

    def watch(self) -> None:
        """Ends a playback whose card hangs, and leaves its thread behind. A few times a second, on the event loop."""
        since_s, track = self._shared.busy_since_s, self._shared.track
        if since_s is None or track is None or time.monotonic() - since_s < STUCK_S:
            return
        log.warning("playback: the card hangs, going on with a fresh thread")
        self._shared.busy_since_s, self._sink = None, None
        self._end(track, error=HANGS)
        if self._thread is not None:
            self._hung.append(self._thread)
        self.run()

    # ---- on the playback thread

    def _work(self, generation: int) -> None:
        while generation == self._shared.generation:
            with self._shared.change:
                while self._shared.track is None and generation == self._shared.generation:
                    self._shared.change.wait()
                track = self._shared.track
            if track is not None and generation == self._shared.generation:
                self._play(generation, track)

    def _play(self, generation: int, track: Track) -> None:
        sink = self._make_sink()
        self._sink = sink
        self._shared.busy_since_s = time.monotonic()
        error = None
        try:
            sink.open(track.rate_hz)
            Writing(self._shared, track, sink, generation).go()
            if track.cancelled:
                sink.drop()
                if self._shared.echo is not None:
                    self._shared.echo.begin()
        except DeviceError as failure:
            error = failure.message
        self._shared.busy_since_s = time.monotonic()
        self._end(track, error)
        sink.close()
        if generation == self._shared.generation:
            self._shared.busy_since_s = None
            self._past_underruns += sink.underruns
            self._sink = None

    def _end(self, track: Track, error: str | None = None) -> None:
        with self._shared.change:
            if track.ended:
                return
            track.ended = True
            if self._shared.track is track:
                self._shared.track = None
        self._sounding_until_s = time.monotonic() + DECAY_S
        if error is not None:
            self.failures += 1
            log.warning("playback: %s", error)
        track.tell(Played(track.play, time.monotonic_ns(), track.cancelled and error is None, error))


def _gain(percent: int) -> float:
    """Amplitude for a volume of 0..100 percent: 50 dB over the range, as loudness is heard (0 is silence)."""
    return 0.0 if percent <= 0 else float(10 ** (50.0 * (min(percent, 100) / 100.0 - 1.0) / 20.0))
