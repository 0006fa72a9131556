"""In: times that a device wrote on its messages. Out: by how much its clock is wrong, and when things really were."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WRONG_S = 5.0
"""A clock that differs by less is not worth a word: delivery alone takes parts of a second."""
LOOKS = 8
"""Messages that the estimate is taken over."""


@dataclass(slots=True)
class Skew:
    """A message can be late, never early: the smallest delay of the last LOOKS messages is the clock's error."""

    _delays: deque[float] = field(default_factory=lambda: deque(maxlen=LOOKS))

    def add(self, at_s: float, received_s: float) -> None:
        """`at_s`: what the device says; `received_s`: the hub's own time of arrival. Unix seconds both."""
        self._delays.append(received_s - at_s)

    @property
    def seconds(self) -> float | None:
        """Device's clock minus the hub's, where it is wrong. A backlog after an outage looks like a slow clock until
        the first fresh message; so one that is behind is told only when LOOKS messages agree."""
        if not self._delays:
            return None
        least = min(self._delays)
        if least < -WRONG_S or (least > WRONG_S and len(self._delays) == LOOKS):
            return -least
        return None

    def corrected(self, at_s: float, received_s: float) -> float:
        """When it was by the hub's clock; never in the future."""
        skew = self.seconds
        return min(received_s, at_s - skew if skew is not None else at_s)
