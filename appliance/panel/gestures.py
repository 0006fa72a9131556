"""In: raw edges of the button with their times. Out: gestures. Pure: a fake clock can drive it.

Bounces are filtered by waiting for a level that stands; a gesture of n short presses is known when the gap after the
last one is over; a long one when the finger has been down long enough.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class Gesture(StrEnum):
    """What a finger did. The first six are told to the home server under these names (`events.ButtonPressed`)."""

    SINGLE = "single"
    DOUBLE = "double"
    TRIPLE = "triple"
    LONG = "long"
    HOLD = "hold"
    RELEASE = "release"
    DOWN = "down"
    UP = "up"
    COUNTDOWN = "countdown"
    RESET = "reset"
    STUCK = "stuck"
    BOUNCING = "bouncing"


TOLD = frozenset(list(Gesture)[:6])
COUNTED = {1: Gesture.SINGLE, 2: Gesture.DOUBLE, 3: Gesture.TRIPLE}


@dataclass(frozen=True, slots=True)
class Limits:
    """Times of a finger, seconds."""

    debounce_s: float = 0.02
    """A level counts when it stood this long; good buttons settle within 5 ms, worn ones within 15."""
    gap_s: float = 0.25
    """Between presses of a double or triple one (FIELD.md)."""
    hold_s: float = 0.25
    """From here on a press is a hold, where holding talks."""
    long_s: float = 1.0
    """From here on a press is a long one."""
    reset_s: float = 10.0
    """Held for this long at power-up resets settings."""
    stuck_s: float = 30.0
    """Nobody presses for longer: the button is stuck."""
    bounces: int = 60
    """Edges within a second from which a contact is broken; a finger makes 20 at the most."""


class Gestures:
    """The state machine. Feed `edge`, call `tick` at `due_s`; both return the gestures that are known now, in order."""

    def __init__(self, hold_to_talk: bool = False, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._hold_to_talk = hold_to_talk
        self._raw = False
        self._raw_s = 0.0
        self._down = False
        self._down_s = 0.0
        self._up_s = 0.0
        self._presses = 0
        self._told: set[Gesture] = set()
        self._power_up = False
        self._edges: deque[float] = deque(maxlen=self._limits.bounces)

    def begin(self, pressed: bool, now_s: float) -> list[Gesture]:
        """Power-up. A finger that is on the button already counts towards a reset, and towards nothing else."""
        self._raw, self._raw_s, self._down, self._down_s = pressed, now_s, pressed, now_s
        self._power_up = pressed
        return [Gesture.COUNTDOWN] if pressed else []

    def edge(self, pressed: bool, now_s: float) -> list[Gesture]:
        """The line changed at `now_s`."""
        found = self.tick(now_s)
        self._edges.append(now_s)
        if pressed != self._raw:
            self._raw, self._raw_s = pressed, now_s
        if len(self._edges) == self._edges.maxlen and now_s - self._edges[0] < 1.0:
            found += self._once(Gesture.BOUNCING)
        return found

    def tick(self, now_s: float) -> list[Gesture]:
        """Time went on to `now_s`."""
        found: list[Gesture] = []
        if self._raw != self._down and now_s - self._raw_s >= self._limits.debounce_s - 1e-9:
            found += self._settled(self._raw_s)
        return found + (self._held(now_s) if self._down else self._waited(now_s))

    def due_s(self) -> float | None:
        """When `tick` is to be called next; None: only after an edge."""
        limits, times = self._limits, []
        if self._raw != self._down:
            times.append(self._raw_s + limits.debounce_s)
        if self._down:
            times += [self._down_s + after_s for gesture, after_s in self._stations() if gesture not in self._told]
        elif self._presses:
            times.append(self._up_s + limits.gap_s)
        return min(times, default=None)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _settled(self, at_s: float) -> list[Gesture]:
        """A level stood: the finger is down or up since `at_s`."""
        self._down = self._raw
        if self._down:
            found = self._waited(at_s)
            self._down_s = at_s
            self._told -= {Gesture.LONG, Gesture.HOLD, Gesture.STUCK, Gesture.RESET, Gesture.BOUNCING}
            return [*found, Gesture.DOWN]
        self._up_s = at_s
        if self._power_up:
            return self._power_up_ends(at_s)
        if Gesture.HOLD in self._told:
            self._presses = 0
            return [Gesture.RELEASE, Gesture.UP]
        if Gesture.LONG in self._told:
            self._presses = 0
            return [Gesture.UP]
        self._presses += 1
        if self._presses == 3:
            self._presses = 0
            return [Gesture.UP, Gesture.TRIPLE]
        return [Gesture.UP]

    def _power_up_ends(self, at_s: float) -> list[Gesture]:
        """Only a finger that lets go resets: a stuck button must not, at every start."""
        self._power_up = False
        held_s = at_s - self._down_s
        reset = self._limits.reset_s <= held_s < self._limits.stuck_s
        return [Gesture.UP, Gesture.RESET] if reset else [Gesture.UP]

    def _stations(self) -> list[tuple[Gesture, float]]:
        """What a finger that stays down comes to, and after how long."""
        limits = self._limits
        if self._power_up:
            return [(Gesture.STUCK, limits.stuck_s)]
        if self._hold_to_talk:
            return [(Gesture.HOLD, limits.hold_s), (Gesture.STUCK, limits.stuck_s)]
        return [(Gesture.LONG, limits.long_s), (Gesture.STUCK, limits.stuck_s)]

    def _held(self, now_s: float) -> list[Gesture]:
        found: list[Gesture] = []
        for gesture, after_s in self._stations():
            if now_s - self._down_s >= after_s - 1e-9:
                found += self._once(gesture)
        return found

    def _waited(self, now_s: float) -> list[Gesture]:
        """The gap after the last press is over."""
        if self._presses and now_s - self._up_s >= self._limits.gap_s - 1e-9:
            presses, self._presses = self._presses, 0
            return [COUNTED[presses]]
        return []

    def _once(self, gesture: Gesture) -> list[Gesture]:
        if gesture in self._told:
            return []
        self._told.add(gesture)
        return [gesture]
