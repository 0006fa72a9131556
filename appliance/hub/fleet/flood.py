"""In: the moments at which one device's messages come. Out: whether one more is taken; a flooding device harms no other."""

from __future__ import annotations

from dataclasses import dataclass

PER_S = 20.0
"""Messages a second that a device may send on average: a busy one sends about two."""
BURST = 600.0
"""At once: what a device kept while the broker was away comes in one go."""
QUIET_S = 30.0
"""So long within its share, and it floods no more."""


@dataclass(slots=True)
class Flood:
    """A token bucket that remembers since when it is empty."""

    tokens: float = BURST
    at_s: float = 0.0
    since_s: float | None = None
    """Monotonic."""
    refused_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more message is taken at `now_s` (monotonic)."""
        self.tokens = min(BURST, self.tokens + (now_s - self.at_s) * PER_S)
        self.at_s = now_s
        if self.tokens < 1.0:
            self.refused_s = now_s
            if self.since_s is None:
                self.since_s = now_s
            return False
        self.tokens -= 1.0
        return True

    def over(self, now_s: float) -> bool:
        """Whether a flood has just ended: asked from time to time."""
        if self.since_s is not None and now_s - self.refused_s > QUIET_S:
            self.since_s = None
            return True
        return False
