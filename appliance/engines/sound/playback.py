"""In: pieces of a reply. Out: sound at the card, and where it is: first audible sample, position, drained, cancelled.

One thread; one playback at a time. It writes pieces of 10 ms, so that a cancel is obeyed within one of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from appliance.engines.sound.echo import Echo
from appliance.engines.sound.pcm import RATE_HZ, Samples, first_audible
from appliance.engines.sound.resample import Resampler
from appliance.engines.sound.seam import Sink
from appliance.engines.sound.track import VOICES, Track
from appliance.errors import DeviceError
from appliance.wire.sound import Played, PlayFirst, PlayPosition

log = logging.getLogger(__name__)

PIECE_S = 0.01
POSITION_S = 0.25
STUCK_S = 1.0
"""A loudspeaker that took nothing for this long has failed."""
DECAY_S = 0.3
"""The room and the card's own buffers still sound this long after the last sample."""
HANGS = "The loudspeaker takes no audio: its driver or server hangs."


class Playback:
    """The mouth. Methods are the event loop's and never block; `tell` is called on the playback thread."""

    def __init__(self, make_sink: Callable[[], Sink], lead_in_s: float, percent: int, echo: Echo | None = None) -> None:
        """`echo` is given all that is written, to remove it from what the microphone hears."""
        self._make_sink = make_sink
        self._echo = echo
        self._lead_in_s = lead_in_s
        self._gains = dict.fromkeys(VOICES, _gain(percent))
        self._change = threading.Condition()
        self._track: Track | None = None
        self._generation = 0
        self._busy_since_s: float | None = None
        self._sounding_until_s = 0.0
        self._past_underruns = 0
        self._sink: Sink | None = None
        self.failures = 0

    @property
    def speaking(self) -> bool:
        """Whether something sounds in the room."""
        return self._track is not None or time.monotonic() < self._sounding_until_s

    @property
    def underruns(self) -> int:
        return self._past_underruns + (self._sink.underruns if self._sink is not None else 0)

    def run(self) -> None:
        """Starts the thread."""
        self._generation += 1
        threading.Thread(target=self._work, args=(self._generation,), name="playback", daemon=True).start()

    def volume(self, voice: str, percent: int) -> None:
        """Loudness of one voice, 0..100; takes effect within 10 ms plus the buffer."""
        self._gains[voice] = _gain(percent)

    def start(self, track: Track) -> None:
        """Ends what plays and begins `track`."""
        with self._change:
            if self._track is not None:
                self._track.cancelled = True
            self._track = track
            self._change.notify()

    def add(self, play: str, samples: Samples) -> None:
        """More audio for the playback `play`; ignored where that is over."""
        with self._change:
            if self._track is not None and self._track.play == play:
                self._track.pieces.append(samples)
                self._change.notify()

    def complete(self, play: str) -> None:
        """No more audio comes for `play`."""
        with self._change:
            if self._track is not None and self._track.play == play:
                self._track.complete = True
                self._change.notify()

    def cancel(self) -> None:
        """Silence now, whatever is buffered."""
        with self._change:
            if self._track is not None:
                self._track.cancelled = True
                self._change.notify()

    def watch(self) -> None:
        """Ends a playback whose card hangs, and leaves its thread behind. A few times a second, on the event loop."""
        since_s, track = self._busy_since_s, self._track
        if since_s is None or track is None or time.monotonic() - since_s < STUCK_S:
            return
        log.warning("playback: the card hangs, going on with a fresh thread")
        self._busy_since_s, self._sink = None, None
        self._end(track, error=HANGS)
        self.run()

    # ---- on the playback thread

    def _work(self, generation: int) -> None:
        while generation == self._generation:
            with self._change:
                while self._track is None and generation == self._generation:
                    self._change.wait()
                track = self._track
            if track is not None and generation == self._generation:
                self._play(generation, track)

    def _play(self, generation: int, track: Track) -> None:
        sink = self._make_sink()
        self._sink = sink
        self._busy_since_s = time.monotonic()
        error = None
        try:
            sink.open(track.rate_hz)
            _Run(self, track, sink, generation).go()
            if track.cancelled:
                sink.drop()
                if self._echo is not None:
                    self._echo.begin()
        except DeviceError as failure:
            error = failure.message
        self._busy_since_s = time.monotonic()
        self._end(track, error)
        sink.close()
        if generation == self._generation:
            self._busy_since_s = None
            self._past_underruns += sink.underruns
            self._sink = None

    def _end(self, track: Track, error: str | None = None) -> None:
        with self._change:
            if track.ended:
                return
            track.ended = True
            if self._track is track:
                self._track = None
        self._sounding_until_s = time.monotonic() + DECAY_S
        if error is not None:
            self.failures += 1
            log.warning("playback: %s", error)
        track.tell(Played(track.play, time.monotonic_ns(), track.cancelled and error is None, error))


class _Run:
    """The writing of one track."""

    def __init__(self, playback: Playback, track: Track, sink: Sink, generation: int) -> None:
        self._playback, self._track, self._sink = playback, track, sink
        self._generation = generation
        self._resampler = Resampler(track.rate_hz, sink.rate_hz)
        self._to_echo = Resampler(sink.rate_hz, RATE_HZ)
        self._written = 0
        self._first_told = False
        self._told_s = time.monotonic()

    def go(self) -> None:
        """Writes until all has sounded or the track is cancelled."""
        if (echo := self._playback._echo) is not None:
            echo.begin()
        self._write_raw(np.zeros(int(self._playback._lead_in_s * self._sink.rate_hz), dtype=np.int16))
        self._written = 0
        while (samples := self._next_piece()) is not None:
            self._write(self._resampler.take(samples))
        if self._track.cancelled:
            return
        self._write(self._resampler.flush())
        self._drain()

    @property
    def _live(self) -> bool:
        return not self._track.cancelled and self._generation == self._playback._generation

    def _next_piece(self) -> Samples | None:
        """10 ms of the track; waits for the synthesiser. None at its end."""
        change, track = self._playback._change, self._track
        with change:
            while self._live and not track.pieces and not track.complete:
                self._playback._busy_since_s = None  # waiting for audio is no fault of the card
                self._tell_position()
                change.wait(POSITION_S)
            self._playback._busy_since_s = time.monotonic()
            if not self._live or not track.pieces:
                return None
            return track.take(max(1, int(track.rate_hz * PIECE_S)))

    def _write(self, samples: Samples) -> None:
        first = None if self._first_told else first_audible(samples)
        gain = self._playback._gains[self._track.voice]
        self._write_raw(np.rint(samples * gain).clip(-32768, 32767).astype(np.int16))
        if first is not None:
            self._tell_first((len(samples) - first) / self._sink.rate_hz)
        self._tell_position()

    def _write_raw(self, samples: Samples) -> None:
        if len(samples):
            if (echo := self._playback._echo) is not None:
                echo.played(self._to_echo.take(samples))
            self._sink.write(samples)
            self._written += len(samples)
        self._playback._busy_since_s = time.monotonic()

    def _tell_first(self, since_s: float) -> None:
        self._first_told = True
        sounds_in_s = self._sink.pending_s() - since_s
        self._track.tell(PlayFirst(self._track.play, time.monotonic_ns() + int(max(0.0, sounds_in_s) * 1e9)))

    def _tell_position(self) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= POSITION_S:
            self._told_s = now_s
            played_s = max(0.0, self._written / self._sink.rate_hz - self._sink.pending_s())
            self._track.tell(PlayPosition(self._track.play, int(played_s * 1000)))

    def _drain(self) -> None:
        """Waits until the card has played everything; a cancel ends the wait."""
        change = self._playback._change
        while self._live and (left_s := self._sink.pending_s()) > 0:
            self._playback._busy_since_s = time.monotonic()
            with change:
                change.wait(min(left_s, PIECE_S))
        if self._live and not self._first_told:  # all of it was too quiet to hear
            self._tell_first(0.0)


def _gain(percent: int) -> float:
    """Amplitude for a volume of 0..100 percent: 50 dB over the range, as loudness is heard (0 is silence)."""
    return 0.0 if percent <= 0 else float(10 ** (50.0 * (min(percent, 100) / 100.0 - 1.0) / 20.0))
