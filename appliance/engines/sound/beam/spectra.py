"""In: blocks of several channels. Out: their short-time spectra; and back, spectra of one channel to samples.

Frames of 32 ms every 8 ms, square roots of a Hann window both ways: overlapped four times they add up to 2. One frame's
samples are complete three hops later: LATENCY.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.engines.sound.pcm import RATE_HZ, Samples

FRAME, HOP = 512, 128
BINS = FRAME // 2 + 1
LATENCY = FRAME - HOP
"""Samples by which what is put together again is late: 24 ms."""
FRAMES_PER_S = RATE_HZ / HOP
WINDOW = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
BIN_HZ = np.arange(BINS, dtype=np.float32) * (RATE_HZ / FRAME)

Spectra = NDArray[np.complex64]
"""(frames, microphones, BINS)."""


class Analysis:
    """Blocks of any length to spectra; keeps what is no whole hop yet."""

    def __init__(self, microphones: int) -> None:
        self._microphones = microphones
        self._held = np.zeros((microphones, LATENCY), dtype=np.float32)

    def take(self, block: Samples) -> Spectra:
        """Spectra of all frames that `block` of shape (samples, microphones) completes."""
        held = np.concatenate((self._held, block.T.astype(np.float32)), axis=1)
        frames = max(0, (held.shape[1] - LATENCY) // HOP)
        self._held = held[:, frames * HOP :]
        if not frames:
            return np.zeros((0, self._microphones, BINS), dtype=np.complex64)
        cut = np.lib.stride_tricks.sliding_window_view(held, FRAME, axis=1)[:, : frames * HOP : HOP]
        spectra: Spectra = np.fft.rfft(cut * WINDOW, axis=2).astype(np.complex64).transpose(1, 0, 2)
        return spectra

    def reset(self) -> None:
        """The stream was interrupted."""
        self._held = np.zeros((self._microphones, LATENCY), dtype=np.float32)


class Synthesis:
    """Spectra of one channel to samples, HOP a frame."""

    def __init__(self) -> None:
        self._tail = np.zeros(FRAME, dtype=np.float32)

    def take(self, spectra: NDArray[np.complex64]) -> Samples:
        """Samples that frames of shape (frames, BINS) complete."""
        pieces = np.fft.irfft(spectra, FRAME, axis=1).astype(np.float32) * (0.5 * WINDOW)
        out = np.empty(len(pieces) * HOP, dtype=np.float32)
        for number, piece in enumerate(pieces):
            self._tail[:-HOP] = self._tail[HOP:]
            self._tail[-HOP:] = 0.0
            self._tail += piece
            out[number * HOP : (number + 1) * HOP] = self._tail[:HOP]
        samples: Samples = np.rint(out.clip(-32768, 32767)).astype(np.int16)
        return samples

    def reset(self) -> None:
        """The stream was interrupted, or other spectra of the same time follow."""
        self._tail[:] = 0.0
