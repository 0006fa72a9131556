"""In: samples as a voice made them. Out: speech that starts and ends where it is heard, and the joints between pieces."""

from __future__ import annotations

import numpy as np

from appliance.engines.tts.protocol import NOTHING, Samples

AUDIBLE = 328
"""1 % of full scale: from here a sample counts as heard."""
TAIL_AUDIBLE = 164
"""0.5 %: endings fade, and a cut one is heard as a click."""
ONSET_MS = 3
"""Kept before the first audible sample, faded in, so that a plosive is not clipped."""
TAIL_MS = 25
"""Kept behind the last audible sample, faded out."""


def trimmed(samples: Samples, rate_hz: int) -> Samples:
    """`samples` without the silence around them, with short fades; empty if nothing is audible."""
    loud = np.abs(samples.astype(np.int32))
    heard = np.flatnonzero(loud >= AUDIBLE)
    if not len(heard):
        return NOTHING
    last = int(np.flatnonzero(loud >= TAIL_AUDIBLE)[-1])
    first = max(0, int(heard[0]) - rate_hz * ONSET_MS // 1000)
    cut = samples[first : last + 1 + rate_hz * TAIL_MS // 1000].astype(np.float32)
    rise = min(int(heard[0]) - first, len(cut))
    fall = min(len(cut) - (last + 1 - first), len(cut))
    cut[:rise] *= np.linspace(0.0, 1.0, rise, endpoint=False, dtype=np.float32)
    if fall:
        cut[-fall:] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return cut.astype(np.int16)


def silence(duration_ms: int, rate_hz: int) -> Samples:
    """A pause."""
    return np.zeros(rate_hz * duration_ms // 1000, np.int16)
