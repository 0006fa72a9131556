"""In: counts that only grow, again and again. Out: how fast they grow, over a window that is stated."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Rate:
    """Growth a second over the last `window_s`; a count that fell (its process was replaced) begins anew."""

    window_s: float = 60.0
    least_s: float = 30.0
    """A shorter span gives no rate: what a connection says at its start is no habit."""
    _points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=400))

    def add(self, at: float, total: float) -> float | None:
        """Takes the count at time `at` (seconds, or any measure of progress); the rate, None while the span is short."""
        if self._points and (total < self._points[-1][1] or at < self._points[-1][0]):
            self._points.clear()
        self._points.append((at, total))
        while len(self._points) > 2 and at - self._points[1][0] >= self.window_s:
            self._points.popleft()
        first_at, first = self._points[0]
        return (total - first) / (at - first_at) if at - first_at >= self.least_s else None
