"""In: samples as bytes or arrays. Out: the facts that everyone here counts in: rates, levels, loudness."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16000
"""Everything behind the front end."""
SAMPLE_BYTES = 2
FLOOR_DBFS = -96.0
"""Level of digital silence: one bit of sixteen is -90.3 dBFS."""

Samples = NDArray[np.int16]


def samples_of(audio: bytes) -> Samples:
    """S16 bytes as samples, without a copy; half a sample at the end is none."""
    return np.frombuffer(audio[: len(audio) // SAMPLE_BYTES * SAMPLE_BYTES], dtype=np.int16)


def channels_of(audio: bytes, channels: int) -> Samples:
    """Interleaved S16 as (samples, channels), of one channel as (samples,); without a copy."""
    samples = samples_of(audio)
    return samples if channels == 1 else samples[: len(samples) // channels * channels].reshape(-1, channels)


def level_dbfs(samples: Samples) -> float:
    """RMS level of S16 samples about their mean, dB relative to full scale; FLOOR_DBFS for silence or nothing.

    Cheap converters have an offset, which is no sound; wake features and recognisers are blind to it by themselves.
    """
    if not len(samples):
        return FLOOR_DBFS
    wide = samples.astype(np.float32)
    power = float(np.dot(wide, wide)) / len(samples) - float(wide.mean()) ** 2
    return 10.0 * math.log10(power / 32768.0**2) if power > 0.25 else FLOOR_DBFS


def ms(samples: int) -> int:
    """Milliseconds, rounded down, of a count of 16 kHz samples."""
    return samples * 1000 // RATE_HZ


def first_audible(samples: Samples, share: float = 0.01) -> int | None:
    """Index of the first sample above `share` of full scale, or None."""
    loud = np.abs(samples.astype(np.int32)) > int(32767 * share)
    index = int(loud.argmax()) if len(loud) else 0
    return index if len(loud) and loud[index] else None
