"""In: what the loudspeaker plays, and what the microphone hears meanwhile. Out: the microphone without the loudspeaker.

WebRTC's processor (AEC3) as the package livekit carries it, without its noise suppression and gain control: recognisers
do better without. It finds the delay between both by itself, as long as the played sound comes first and the delay
stays the same. Both hold: samples are queued when they are written to the card, and one period of them is taken for
each captured one, so that this queue runs beside the card's own buffer and the delay is the path's, a constant.
Idle, nothing is computed: it works while something plays and TAIL_S longer.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np

from appliance.engines.sound.pcm import RATE_HZ, SAMPLE_BYTES, Samples

log = logging.getLogger(__name__)

FRAME = RATE_HZ // 100
"""Samples of one step of the processor: 10 ms."""
FRAME_BYTES = FRAME * SAMPLE_BYTES
TAIL_S = 0.5
"""What the loudspeaker played still comes back for this long: 0.1 s under way, the rest in a room of furniture."""
TAIL_FRAMES = int(TAIL_S * 100)
MOST_BYTES = RATE_HZ * SAMPLE_BYTES * 3 // 2
"""1.5 s of played sound wait for the microphone; when that stands still, the oldest is dropped and counted."""


class Echo:
    """The loudspeaker's echo. `played` is the playback thread's, `remove` the capture thread's, `clear` both's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._far = bytearray()
        self._tail = 0
        self._held = np.zeros(0, dtype=np.int16)
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
        return self._processor is not None and (len(self._far) >= FRAME_BYTES or self._tail > 0)

    def played(self, samples: Samples) -> None:
        """16 kHz samples, as loud as they were given to the card, at the moment of the giving."""
        if self._processor is None:
            return
        with self._lock:
            self._far += samples.tobytes()
            if (over := len(self._far) - MOST_BYTES) > 0:
                del self._far[:over]
                self._dropped_bytes += over

    def clear(self) -> None:
        """What was played and not yet heard will not be heard: the loudspeaker was silenced, or the microphone missed it."""
        with self._lock:
            self._far.clear()

    def remove(self, samples: Samples) -> Samples:
        """The next captured samples without the echo; up to FRAME - 1 of them come with the next ones."""
        if not self.at_work:
            if len(self._held):
                samples, self._held = np.concatenate((self._held, samples)), self._held[:0]
            return samples
        near = np.concatenate((self._held, samples)) if len(self._held) else samples
        whole = len(near) // FRAME * FRAME
        self._held = near[whole:]
        frames = [self._step(near[at : at + FRAME]) for at in range(0, whole, FRAME)]
        return np.concatenate(frames) if frames else near[:0]

    def _step(self, near: Samples) -> Samples:
        with self._lock:
            far = bytes(self._far[:FRAME_BYTES]) if len(self._far) >= FRAME_BYTES else None
            if far is not None:
                del self._far[:FRAME_BYTES]
        self._tail = self._tail - 1 if far is None else TAIL_FRAMES
        processor = self._processor
        assert processor is not None
        try:
            return processor.step(far or bytes(FRAME_BYTES), near)
        except (RuntimeError, AssertionError) as error:
            log.error("echo: the device's own voice is not removed any more: %s", error)
            self._processor = None
            return near


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
