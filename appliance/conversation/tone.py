"""In: the name of a tone. Out: its samples: short, soft, told apart by their melody; the alarm of a timer too."""

from __future__ import annotations

from functools import cache

import numpy as np

RATE_HZ = 16000
FADE_S = 0.01
PEAK = 0.3

MELODIES: dict[str, tuple[tuple[float, float], ...]] = {
    "listen": ((660.0, 0.07), (880.0, 0.09)),
    "error": ((440.0, 0.12), (330.0, 0.18)),
    "announce": ((523.25, 0.12), (659.25, 0.12), (783.99, 0.2)),
    "alarm": ((880.0, 0.15), (0.0, 0.08), (880.0, 0.15), (0.0, 0.08), (1108.73, 0.25), (0.0, 0.7)),
    "mute": ((523.25, 0.08), (392.0, 0.1)),
    "unmute": ((392.0, 0.08), (523.25, 0.1)),
}
"""Tone → (frequency in hertz, 0 for a rest; seconds) in turn."""


@cache
def samples(name: str) -> bytes:
    """Mono S16 at RATE_HZ. Raises KeyError for an unknown tone."""
    trace = []
    for frequency_hz, length_s in MELODIES[name]:
        t = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
        fade = np.minimum(1.0, np.minimum(t, t[::-1]) / FADE_S)
        trace.append(PEAK * fade * np.sin(2 * np.pi * frequency_hz * t))
    return bytes((np.concatenate(trace) * 32767).astype("<i2").tobytes())
