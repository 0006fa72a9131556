"""In: (time, value) pairs. Out: how fast the value grows, as a fitted line with its confidence, not two points."""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import dataclass, field

LEAST_POINTS = 12
LEAST_SPAN_S = 1200.0
"""A line over less than 20 minutes says nothing about hours."""
Z_95 = 1.96
"""Of the normal distribution, two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Per hour, with the bounds between which it lies with 95 % confidence."""

    per_hour: float
    low: float
    high: float


@dataclass(slots=True)
class Slope:
    """A sliding window of points and the line through them (ordinary least squares)."""

    most: int = 360
    _points: deque[tuple[float, float]] = field(init=False)

    def __post_init__(self) -> None:
        self._points = deque(maxlen=self.most)

    def add(self, at_s: float, value: float) -> None:
        self._points.append((at_s, value))

    def growth(self) -> Growth | None:
        """None until there are points enough. The residuals' lag-one correlation widens the bounds.

        Memory wanders, so neighbouring points are not independent: n is replaced by the effective
        n·(1−r)/(1+r) (Bayley and Hammersley, 1946).
        """
        n = len(self._points)
        if n < LEAST_POINTS or self._points[-1][0] - self._points[0][0] < LEAST_SPAN_S:
            return None
        mean_t = sum(t for t, _ in self._points) / n
        mean_v = sum(v for _, v in self._points) / n
        spread = sum((t - mean_t) ** 2 for t, _ in self._points)
        slope = sum((t - mean_t) * (v - mean_v) for t, v in self._points) / spread
        rests = [v - mean_v - slope * (t - mean_t) for t, v in self._points]
        squares = sum(rest * rest for rest in rests)
        lagged = sum(a * b for a, b in itertools.pairwise(rests))
        r = max(0.0, min(0.95, lagged / squares)) if squares > 0 else 0.0
        effective = max(3.0, n * (1 - r) / (1 + r))
        error = math.sqrt(squares / n / spread * n / (effective - 2.0)) if squares > 0 else 0.0
        per_hour, half = slope * 3600.0, Z_95 * error * 3600.0
        return Growth(per_hour, per_hour - half, per_hour + half)
