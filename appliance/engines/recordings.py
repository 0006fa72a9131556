"""In: recordings, of speech and of noise. Out: samples as the microphone gives them, for programs that measure an engine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.engines.sound.capture.resample import Resampler
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.errors import AudioFileError

FRAME = 2048
"""The published benchmark's frame: the energies of the loudest ones set the signal-to-noise ratio."""


def load(file: Path) -> Samples:
    """16 kHz mono S16, the first channel. Raises AudioFileError naming the file."""
    try:
        samples, rate_hz = soundfile.read(str(file), dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError("bad-audio", f"{file} cannot be read as audio ({error}).") from error
    if not len(samples):
        raise AudioFileError("empty-audio", f"{file} holds no audio.")
    mono = np.ascontiguousarray(samples[:, 0], dtype=np.int16)
    if rate_hz == RATE_HZ:
        return mono
    resampler = Resampler(rate_hz, RATE_HZ)
    return np.concatenate((resampler.take(mono), resampler.flush()))


class Noise:
    """A long recording of which stretches are heard. It lies in a file, not in the memory of the engine that is measured."""

    def __init__(self, file: Path) -> None:
        """Raises AudioFileError naming the file."""
        samples = load(file)
        self._samples = len(samples)
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the noise is)
        samples.tofile(self._kept)

    def __len__(self) -> int:
        return self._samples

    def __getitem__(self, stretch: slice) -> Samples:
        begin, end, _ = stretch.indices(self._samples)
        self._kept.seek(begin * 2)
        return np.frombuffer(self._kept.read((end - begin) * 2), np.int16)


def mix(speech: Samples, noise: Samples | Noise, snr_db: float, pause: int, rng: np.random.Generator) -> Samples:
    """`speech` and `pause` samples more under a random stretch of `noise` (repeated where it is short)."""
    length = len(speech) + pause
    start = int(rng.integers(0, max(1, len(noise) - length)))
    stretch = np.resize(noise[start : start + length], length).astype(np.float64)
    scale = np.sqrt(_loudest(speech.astype(np.float64)) / (_loudest(stretch) * 10 ** (snr_db / 10) + 1e-9))
    mixed = stretch * scale
    mixed[: len(speech)] += speech
    peak = float(np.abs(mixed).max(initial=1.0))
    return np.asarray(np.rint(mixed * min(1.0, 32767 / peak)), dtype=np.int16)


def _loudest(samples: NDArray[np.float64]) -> float:
    count = max(1, len(samples) // FRAME)
    frames = np.resize(samples, count * FRAME).reshape(count, FRAME)
    return float((frames**2).mean(axis=1).max())
