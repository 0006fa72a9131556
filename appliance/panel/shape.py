"""In: how the LEDs are laid out. Out: where on them a direction or a microphone is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Families of LEDs; each has its patterns."""

    RING = "ring"
    ROW = "row"
    RGB = "rgb"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Shape:
    """LEDs as the patterns see them."""

    kind: Kind
    count: int
    first_deg: float = 0.0
    """Direction of pixel 0, degrees clockwise from the board's mark."""
    clockwise: bool = True
    """Whether pixel numbers grow clockwise, seen from above."""
    mics: tuple[int, ...] = ()
    """Pixels beside the microphones; lit red when muted. Without any, evenly spread."""

    def place(self, direction_deg: float) -> float:
        """The pixel position, 0 ≤ p < count, of a direction."""
        turn = (direction_deg - self.first_deg) / 360.0
        return ((turn if self.clockwise else -turn) * self.count) % self.count

    def microphones(self) -> tuple[int, ...]:
        """Pixels beside microphones that there are."""
        inside = tuple(pixel for pixel in self.mics if pixel < self.count)
        if inside:
            return inside
        if self.kind is Kind.ROW:
            return (0, self.count - 1) if self.count > 1 else (0,)
        step = max(1, self.count // 4)
        return tuple(range(step // 2, self.count, step))
