"""How long to wait before the next try: full jitter, the one rule for children, contained parts and connections."""

from __future__ import annotations

import random


def full_jitter_s(failures: int, first_s: float, most_s: float, rng: random.Random | None = None) -> float:
    """Seconds, evenly between 0 and min(`most_s`, `first_s` · 2^`failures`); `failures`: how many in a row before this one.

    AWS Architecture Blog, "Exponential Backoff and Jitter": so a fleet does not come back as one wave.
    """
    ceiling_s = min(most_s, first_s * 2.0 ** min(failures, 30))
    return (rng or random).uniform(0.0, ceiling_s)
