"""In: a stream of samples at one rate. Out: the same sound at another rate, without a seam between pieces."""

from __future__ import annotations

from math import ceil, gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.engines.sound.pcm import Samples

ZERO_CROSSINGS = 16
"""Of the windowed sinc on either side of its middle: about 80 dB of stop band with a Kaiser window of beta 8."""
ROLL_OFF = 0.92
"""Cut-off as a share of the lower Nyquist frequency: the transition band ends just there."""


class Resampler:
    """Polyphase windowed sinc (Smith, "Digital audio resampling"): phase p of `up` phases for output n with n·down ≡ p."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        shared = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // shared, from_hz // shared
        self._same = self._up == self._down
        cutoff = ROLL_OFF * min(1.0, to_hz / from_hz)
        half = ceil(ZERO_CROSSINGS / cutoff)
        self._taps = 2 * half
        offsets = np.arange(-half + 1, half + 1)[None] - (np.arange(self._up) / self._up)[:, None]
        bank = np.sinc(offsets * cutoff) * _kaiser(offsets / half)
        self._bank: NDArray[np.float32] = (bank / bank.sum(axis=1, keepdims=True)).astype(np.float32)
        self._half = half
        self.reset()

    def reset(self) -> None:
        """A new stream begins."""
        self._history = np.zeros(self._half - 1, dtype=np.float32)
        self._at = 0

    def take(self, samples: Samples) -> Samples:
        """What can be said of the output with `samples` more of the input; half a filter stays inside."""
        if self._same:
            return samples
        self._history = np.concatenate((self._history, samples.astype(np.float32)))
        room = len(self._history) - self._taps
        if room < 0:
            return np.zeros(0, dtype=np.int16)
        count = ((room + 1) * self._up - self._at + self._down - 1) // self._down
        steps = self._at + np.arange(max(count, 0)) * self._down
        first, phase = steps // self._up, steps % self._up
        windows = np.lib.stride_tricks.sliding_window_view(self._history, self._taps)
        out: NDArray[Any] = np.einsum("ij,ij->i", windows[first], self._bank[phase])
        self._at += len(steps) * self._down
        used = min(self._at // self._up, len(self._history))
        self._history = self._history[used:]
        self._at -= used * self._up
        return np.asarray(np.rint(out).clip(-32768, 32767), dtype=np.int16)

    def flush(self) -> Samples:
        """The rest of the stream; a new one may begin."""
        tail = self.take(np.zeros(self._half, dtype=np.int16))
        self.reset()
        return tail if not self._same else tail[:0]


def _kaiser(position: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(1.0 - position**2, 0.0, None)
    return np.where(np.abs(position) <= 1.0, np.i0(8.0 * np.sqrt(inside)) / np.i0(8.0), 0.0)
