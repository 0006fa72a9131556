"""In: what the searches found. Out: how likely the text is what was said, 0..1, from a small logistic model.

The features compare the constrained reading with the free one (which may say anything) and with the next different one.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """Features of one reading. All costs are natural logs."""

    gap: float
    """Free score minus constrained score, a piece."""
    worst_word: float
    """Largest sum over a word of how far its pieces were behind the likeliest piece of their frame."""
    margin: float
    """Lead over the best reading with another text, at most 10."""
    shortness: float
    """1 / pieces."""
    wild_share: float
    """Share of the pieces that stand in free-text slots, 0..1."""
    total_gap: float
    """Free score minus constrained score, at most 40."""


WEIGHTS = (-0.9, -0.12, 0.15, -1.0, -4.0, -0.08)
BIAS = 3.0


def confidence(evidence: Evidence) -> float:
    """The logistic of the weighted evidence."""
    z = BIAS + sum(w * x for w, x in zip(WEIGHTS, astuple(evidence), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))
