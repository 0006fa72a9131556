"""In: samples. Out: log mel filter banks, exactly as sherpa-onnx computes them (kaldi-native-fbank, same options)."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.protocol import RATE_HZ, Samples

BINS = 80
SHIFT = RATE_HZ // 100
"""Samples between frames: 10 ms."""
REACH = 3
"""Frames on each side that an edge of the audio disturbs (25 ms windows, centred)."""

Frames = NDArray[np.float32]
"""(frames, BINS)."""


def _options() -> kaldi_native_fbank.FbankOptions:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = RATE_HZ
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = BINS
    options.mel_opts.high_freq = -400.0
    return options


class Features:
    """Frames of one utterance as its samples arrive."""

    def __init__(self) -> None:
        self._fbank = kaldi_native_fbank.OnlineFbank(_options())
        self._tail: Samples = np.zeros(0, np.float32)
        self._samples = 0
        self._taken = 0

    def accept(self, samples: Samples) -> Frames:
        """The frames that `samples` complete."""
        self._samples += len(samples)
        self._tail = np.concatenate([self._tail, samples])[-(2 * REACH + 4) * SHIFT :]
        self._fbank.accept_waveform(RATE_HZ, samples.tolist())
        return self._take(self._fbank)

    def _take(self, fbank: kaldi_native_fbank.OnlineFbank) -> Frames:
        frames = _copied(fbank, self._taken)
        fbank.pop(len(frames))
        self._taken += len(frames)
        return frames

    def ending(self, silence: int) -> Frames:
        """The frames that would follow if `silence` samples of silence came now. Changes nothing."""
        first = max(0, self._samples - len(self._tail))
        first += -first % SHIFT  # frames must fall on the same samples
        tail = self._tail[len(self._tail) - (self._samples - first) :]
        fbank = kaldi_native_fbank.OnlineFbank(_options())
        fbank.accept_waveform(RATE_HZ, [*tail.tolist(), *([0.0] * silence)])
        return _copied(fbank, self._taken - first // SHIFT)


def _copied(fbank: kaldi_native_fbank.OnlineFbank, first: int) -> Frames:
    """Frames from `first` on; copied, since `get_frame` gives a view of memory that `pop` frees."""
    found = [np.array(fbank.get_frame(at), np.float32) for at in range(first, fbank.num_frames_ready)]
    return np.array(found, np.float32).reshape(-1, BINS)
