"""In: an audio file of any common form. Out: 16 kHz samples of one or all its channels, and where its speech ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from appliance.errors import AudioFileError

RATE_HZ = 16000
FRAME = RATE_HZ // 100
SPEECH_BELOW_LOUDEST_DB = 34.0
"""MEASURES: end of speech is the last 10 ms frame within 34 dB of the loudest one, where no mark is given."""

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, ready to be fed."""

    file: Path
    samples: Samples
    """(samples,), or (samples, channels) of a whole array."""
    end_of_speech_s: float | None
    """Given, or by the energy rule; None where all is silence."""

    @property
    def length_s(self) -> float:
        return len(self.samples) / RATE_HZ


def load(file: Path, end_of_speech_s: float | None = None, microphones: int = 1) -> Recording:
    """Reads WAV, FLAC or OGG of any rate, width and channel count. Raises AudioFileError with one sentence.

    A file with as many channels as the device has `microphones` keeps them, of others the first is heard; other rates are
    converted by linear-phase windowed-sinc interpolation.
    """
    if not file.is_file():
        raise AudioFileError("no-file", f"{file}: there is no such file.")
    try:
        samples, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioFileError("no-audio", f"{file}: this is no audio that can be read.") from error
    if not len(samples):
        raise AudioFileError("empty", f"{file}: the recording is empty.")
    kept = samples.shape[1] if samples.shape[1] == microphones else 1
    heard = np.stack([_to_rate(np.ascontiguousarray(samples[:, channel]), rate_hz) for channel in range(kept)], axis=1)
    whole = np.clip(np.round(heard * 32767), -32768, 32767).astype(np.int16)
    first = np.ascontiguousarray(whole[:, 0])
    end_s = end_of_speech_s if end_of_speech_s is not None else end_of_speech(first)
    return Recording(file, whole if kept > 1 else first, end_s)


def end_of_speech(samples: Samples) -> float | None:
    """Seconds from the first sample to the end of speech by the energy rule; None for silence."""
    frames = samples[: len(samples) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    energy = (frames**2).mean(axis=1) if len(frames) else np.zeros(0)
    if not len(energy) or energy.max() < 1.0:
        return None
    loud = np.nonzero(energy >= energy.max() * 10 ** (-SPEECH_BELOW_LOUDEST_DB / 10))[0]
    return float((loud[-1] + 1) * FRAME / RATE_HZ)


def _to_rate(mono: npt.NDArray[np.float32], rate_hz: int) -> npt.NDArray[np.float32]:
    """Windowed-sinc conversion to 16 kHz, 32 taps a side (Hann), cut at the lower of the two Nyquist frequencies."""
    if rate_hz == RATE_HZ:
        return mono
    cut = min(1.0, RATE_HZ / rate_hz)
    count = int(len(mono) * RATE_HZ / rate_hz)
    centre = np.arange(count) * (rate_hz / RATE_HZ)
    reach = int(np.ceil(32 / cut))
    out = np.zeros(count, np.float32)
    padded = np.pad(mono, reach + 1)
    first = np.floor(centre).astype(np.int64)
    for offset in range(-reach + 1, reach + 1):
        x = centre - (first + offset)
        window = 0.5 + 0.5 * np.cos(np.pi * np.clip(x / reach, -1, 1))
        out += (padded[first + offset + reach + 1] * cut * np.sinc(cut * x) * window).astype(np.float32)
    return out
