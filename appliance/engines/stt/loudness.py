"""In: samples. Out: whether anything was said at all: free searches make a word even of digital silence."""

from __future__ import annotations

import numpy as np

from appliance.engines.stt.protocol import RATE_HZ, Samples

QUIET = 0.004
"""Loudest 20 ms (root mean square) below which nothing was said: -48 dBFS."""
BLOCK = RATE_HZ // 50


def is_quiet(samples: Samples) -> bool:
    """Whether no 20 ms of `samples`, or not all of them where they are shorter, are louder than QUIET."""
    block = min(BLOCK, len(samples))
    if not block:
        return True
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    return float(np.sqrt((blocks**2).mean(axis=1)).max()) < QUIET
