"""In: audio as a stranger sends it, of any usual rate, width and channel count. Out: 16 kHz mono S16, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.errors import EngineError

RATE_HZ = 16000
RATES_HZ = (8000, 192000)
WIDTHS: dict[int, Any] = {1: np.dtype("u1"), 2: np.dtype("<i2"), 4: np.dtype("<i4")}
MOST_CHANNELS = 16


class Inlet:
    """One stream. The rate is converted between neighbouring samples (linear), with a running mean before it where it falls.

    Good enough for speech that is sent at another rate by mistake; who wants the best sends 16 kHz.
    """

    def __init__(self, rate_hz: int, width: int, channels: int) -> None:
        """Raises EngineError for a form that cannot be read."""
        known = RATES_HZ[0] <= rate_hz <= RATES_HZ[1] and width in WIDTHS and 1 <= channels <= MOST_CHANNELS
        if not known:
            raise EngineError("bad-audio", f"Audio of {rate_hz} Hz, {width} bytes, {channels} channels is not taken.")
        self._width, self._channels = width, channels
        self._step = rate_hz / RATE_HZ
        self._rest = b""
        self._tail: npt.NDArray[np.float64] = np.zeros(0)
        self._at = 0.0

    def take(self, data: bytes) -> bytes:
        """Samples so far complete, converted. A torn frame waits for its other half."""
        data = self._rest + data
        whole = len(data) // (self._width * self._channels) * self._width * self._channels
        self._rest = data[whole:]
        raw: npt.NDArray[Any] = np.frombuffer(data[:whole], WIDTHS[self._width])
        mono: npt.NDArray[np.float64] = raw.reshape(-1, self._channels).astype(np.float64).mean(axis=1)
        if self._width == 1:
            mono = (mono - 128) * 256
        elif self._width == 4:
            mono = mono / 65536
        if self._step != 1:
            mono = self._converted(mono)
        whole_samples: bytes = np.clip(np.rint(mono), -32768, 32767).astype("<i2").tobytes()
        return whole_samples

    def _converted(self, mono: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        joined = np.concatenate((self._tail, mono))
        reach = max(1, round(self._step))
        usable = len(joined) - reach
        if usable < 1:
            self._tail = joined
            return np.zeros(0)
        smooth = np.convolve(joined, np.ones(reach) / reach, "valid")[: usable + 1]
        places = np.arange(self._at, usable, self._step)
        made = np.interp(places, np.arange(len(smooth)), smooth)
        next_at = places[-1] + self._step if len(places) else self._at
        dropped = min(usable, int(next_at))
        self._tail, self._at = joined[dropped:], next_at - dropped
        return made
