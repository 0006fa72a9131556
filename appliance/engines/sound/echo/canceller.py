"""In: what the loudspeaker plays, and what the microphone hears meanwhile. Out: the microphone without the loudspeaker.

WebRTC's processor (AEC3) as the package livekit carries it, without its noise suppression and gain control: recognisers
do better without. It wants the played sound first and the delay between both the same: a change of 8 ms costs it a
second. So the first sample of a playback gets the place on the capture's time line at which it was given to the card,
and the others follow it; the delay is then the path's, however both threads are held up.
Idle, nothing is computed: it works while something plays and TAIL_S longer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from appliance.engines.sound.echo.double_talk import DoubleTalkDetector
from appliance.engines.sound.pcm import RATE_HZ, SAMPLE_BYTES, Samples

log = logging.getLogger(__name__)

FRAME = RATE_HZ // 100
"""Samples of one step of the processor: 10 ms."""
FRAME_BYTES = FRAME * SAMPLE_BYTES
TAIL_S = 0.5
"""What the loudspeaker played still comes back for this long: 0.1 s under way, the rest in a room of furniture."""
TAIL_FRAMES = int(TAIL_S * 100)
LEAD = FRAME
"""Samples by which the played sound is set earlier: a direct path takes 1 ms, and clocks are read with some error."""
LAG = 2 * FRAME
"""Samples by which the microphone is held back at work: LEAD, and 10 ms within which the playback may be late."""
DELAY = 128
"""Samples by which the processor's output is late: two of its blocks, measured with noise."""
LEAST_BLEND = 0.02
CREEP_S = 2e-6
"""A period may be read late, never early; the clocks of card and system drift apart by up to 200 ppm."""
MOST_BYTES = RATE_HZ * SAMPLE_BYTES * 3 // 2
"""1.5 s of played sound wait for the microphone; when that stands still, the oldest is dropped and counted."""


class Echo:
    """The loudspeaker's echo. `begin` and `played` are the playback thread's, `remove` and `interrupted` the capture
    thread's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._far = bytearray()
        self._far_at: int | None = None
        self._position = 0
        self._origin_s: float | None = None
        self._tail = 0
        self._begins = False
        self._held = np.zeros(0, dtype=np.int16)
        self._near_end = DoubleTalkDetector()
        self._late = np.zeros(DELAY, dtype=np.int16)
        self._loading: threading.Thread | None = None
        self._processor: _Processor | None = None
        self._dropped_bytes = 0

    def prepare(self) -> threading.Thread:
        """Begins to load the processor beside all else (0.1 s of a core, 18 MB), once; the thread that does.

        Called when somebody begins to speak, so that it is there for the reply and costs no device that nobody uses.
        """
        if self._loading is None:
            self._loading = threading.Thread(target=self._load, name="echo-load", daemon=True)
            self._loading.start()
        return self._loading

    def _load(self) -> None:
        try:
            self._processor = _Processor()
        except (ImportError, OSError, RuntimeError) as error:
            log.error("echo: the device's own voice is not removed, because WebRTC's processor does not run: %s", error)

    @property
    def dropped_ms(self) -> float:
        """Played sound that no captured period was found for, ms."""
        return self._dropped_bytes / SAMPLE_BYTES * 1000 / RATE_HZ

    @property
    def ready(self) -> bool:
        """Whether the processor is loaded and runs."""
        return self._processor is not None

    @property
    def at_work(self) -> bool:
        """Whether captured samples are being changed."""
        return self._processor is not None and (len(self._far) > 0 or self._tail > 0)

    def person(self) -> bool:
        """Whether more than the echo was heard in the last 0.8 s; true where no echo is being removed. The capture
        thread's."""
        return not self.at_work or self._near_end.person

    def begin(self) -> None:
        """Another playback begins, or one was silenced: what was played and not yet heard will not be heard."""
        with self._lock:
            self._far.clear()
            self._far_at = None
            self._begins = True

    def played(self, samples: Samples) -> None:
        """16 kHz samples, as loud as they are given to the card, just before the giving."""
        if self._processor is None:
            return
        with self._lock:
            if self._far_at is None:
                self._far_at = self._captured() - LEAD
            self._far += samples.tobytes()
            if (over := len(self._far) - MOST_BYTES) > 0:
                del self._far[:over]
                self._far_at += over // SAMPLE_BYTES
                self._dropped_bytes += over

    def unplayed(self, seconds: float) -> None:
        """The card gives back the last of what was `played`: it will not sound."""
        with self._lock:
            del self._far[max(0, len(self._far) - round(seconds * RATE_HZ) * SAMPLE_BYTES) :]

    def interrupted(self) -> None:
        """Captured samples are missing: the time lines must be compared anew."""
        self.begin()
        self._origin_s = None
        self._held = self._held[:0]

    def remove(self, samples: Samples) -> Samples:
        """The next captured samples without the echo; at work they come LAG later, and up to FRAME - 1 more."""
        self._count(len(samples))
        if not self.at_work:
            if len(self._held):
                samples, self._held = np.concatenate((self._held, samples)), self._held[:0]
            return samples
        near = np.concatenate((self._held, samples)) if len(self._held) else samples
        whole = max(0, (len(near) - LAG) // FRAME * FRAME)
        self._held = near[whole:]
        first = self._position - len(near)
        frames = [self._step(near[at : at + FRAME], first + at) for at in range(0, whole, FRAME)]
        return np.concatenate(frames) if frames else near[:0]

    def _count(self, samples: int) -> None:
        """Keeps the time of sample 0 of the capture: the earliest that the reads allow."""
        self._position += samples
        origin_s = self._clock() - self._position / RATE_HZ
        self._origin_s = origin_s if self._origin_s is None else min(self._origin_s + CREEP_S, origin_s)

    def _captured(self) -> int:
        """Place of this moment on the capture's time line."""
        origin_s = self._origin_s
        return self._position if origin_s is None else round((self._clock() - origin_s) * RATE_HZ)

    def _step(self, near: Samples, at: int) -> Samples:
        with self._lock:
            far = self._far_frame(at)
        if far is not None and self._begins:
            self._begins = False
            self._near_end.begin(again=self._tail > 0)
        self._tail = max(0, self._tail - 1) if far is None else TAIL_FRAMES
        processor = self._processor
        if processor is None:
            return near
        played = far or bytes(FRAME_BYTES)
        blend = self._near_end.blend(near, np.frombuffer(played, dtype=np.int16))
        try:
            return self._blended(processor.step(played, near), near, blend)
        except (RuntimeError, AssertionError) as error:
            log.error("echo: the device's own voice is not removed any more: %s", error)
            self._processor = None
            return near

    def _blended(self, cancelled: Samples, near: Samples, blend: float) -> Samples:
        """The processor's samples come DELAY later than they were given to it."""
        late = np.concatenate((self._late, near))
        self._late = late[-DELAY:]
        if blend < LEAST_BLEND:
            return cancelled
        mixed: Samples = np.rint(blend * late[:FRAME] + (1.0 - blend) * cancelled).astype(np.int16)
        return mixed

    def _far_frame(self, at: int) -> bytes | None:
        """What was played in the FRAME samples from `at` on; None for nothing. What is older is too late for anything."""
        if self._far_at is None:
            return None
        late = min(max(0, at - self._far_at), len(self._far) // SAMPLE_BYTES)
        del self._far[: late * SAMPLE_BYTES]
        self._far_at += late
        before = max(0, self._far_at - at)
        part = bytes(self._far[: max(0, FRAME - before) * SAMPLE_BYTES])
        del self._far[: len(part)]
        self._far_at += len(part) // SAMPLE_BYTES
        if not self._far:
            self._far_at = None  # the card has run dry, too: what follows begins when it is given
        return (bytes(before * SAMPLE_BYTES) + part).ljust(FRAME_BYTES, b"\0") if part else None


class _Processor:
    """WebRTC's audio processing module behind livekit's foreign function interface."""

    def __init__(self) -> None:
        """Raises ImportError where the library cannot be loaded."""
        from livekit.rtc.apm import AudioProcessingModule
        from livekit.rtc.audio_frame import AudioFrame

        self._frame: Any = AudioFrame
        self._module: Any = AudioProcessingModule(echo_cancellation=True)
        self._module.set_stream_delay_ms(0)  # the path's delay is not known; it is found

    def step(self, far: bytes, near: Samples) -> Samples:
        """10 ms of both. Raises RuntimeError with what the library says."""
        self._module.process_reverse_stream(self._frame(bytearray(far), RATE_HZ, 1, FRAME))
        frame = self._frame(bytearray(near.tobytes()), RATE_HZ, 1, FRAME)
        self._module.process_stream(frame)
        return np.frombuffer(frame.data, dtype=np.int16)
