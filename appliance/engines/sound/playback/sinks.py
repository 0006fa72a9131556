"""In: samples of a reply. Out: a real loudspeaker's behaviour: ALSA's, or for replay one that only keeps the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import alsaaudio
import numpy as np

from appliance.engines.sound.capture.card import Shape, open_pcm
from appliance.engines.sound.pcm import Samples
from appliance.errors import DeviceError

if TYPE_CHECKING:
    from appliance.settings.sound import SoundSettings

PERIOD_MS = 10.0


class AlsaSink:
    """The loudspeaker."""

    def __init__(self, settings: SoundSettings) -> None:
        self._settings = settings
        self._pcm: Any = None
        self._shape: Shape | None = None
        self.rate_hz = 0
        self.underruns = 0

    def open(self, rate_hz: int) -> None:
        name, buffer_ms = self._settings.playback, self._settings.playback_buffer_ms
        self._pcm, self._shape = open_pcm("playback", name, rate_hz, 1, PERIOD_MS, buffer_ms)
        self.rate_hz = self._shape.rate_hz

    def write(self, samples: Samples) -> None:
        assert self._shape is not None
        wide = samples if self._shape.bits == 16 else samples.astype(np.int32) << 16
        self._give(np.repeat(wide, self._shape.channels).tobytes())

    def _give(self, data: bytes) -> None:
        for _ in range(3):
            try:
                result = self._pcm.write(data)
            except alsaaudio.ALSAAudioError as error:
                raise DeviceError(
                    "play-failed", f"The loudspeaker '{self._settings.playback}' failed: {error}."
                ) from error
            if result >= 0:
                return
            self.underruns += 1  # -32: the buffer ran dry; the library has prepared the card again
        raise DeviceError("play-failed", f"The loudspeaker '{self._settings.playback}' does not start again.")

    def pending_s(self) -> float:
        assert self._shape is not None
        try:
            free = int(self._pcm.avail())
        except alsaaudio.ALSAAudioError:
            return 0.0  # stopped with an empty buffer
        return 0.0 if free < 0 else max(0, self._shape.buffer - free) / self.rate_hz

    def drop(self) -> None:
        try:
            self._pcm.drop()
        except alsaaudio.ALSAAudioError:
            pass  # it had stopped by itself

    def again(self) -> None:
        self._give(b"")  # the library prepares a dropped card at the next write: before its time is taken

    def close(self) -> None:
        if self._pcm is not None:
            self._pcm.close()


class TimedSink:
    """Keeps a loudspeaker's time without one: real time divided by `speed`, or none at all at speed 0."""

    def __init__(self, speed: float, buffer_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._buffer_s = buffer_s
        self._clock = clock
        self._until_s = 0.0
        self.rate_hz = 0
        self.underruns = 0

    def open(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def write(self, samples: Samples) -> None:
        if self._speed == 0:
            return
        now_s = self._clock()
        self._until_s = max(self._until_s, now_s) + len(samples) / self.rate_hz / self._speed
        if (ahead_s := self._until_s - now_s - self._buffer_s / self._speed) > 0:
            time.sleep(ahead_s)

    def pending_s(self) -> float:
        return max(0.0, self._until_s - self._clock()) if self._speed else 0.0

    def drop(self) -> None:
        self._until_s = 0.0

    def again(self) -> None:
        pass

    def close(self) -> None:
        pass
