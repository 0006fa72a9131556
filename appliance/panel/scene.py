"""In: nothing. Out: everything a pattern may look at: the state shown and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.events import State

DECAY_S = 0.35
"""The level meter falls from full to nothing in this time; it rises at once."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be drawn. A pattern is a pure function of it, the seconds since the state began, and the shape."""

    state: State
    value: float | None = None
    """Progress, volume or what is left, 0..1, where the state has one."""
    reason: str | None = None
    """deaf (of NOT_READY), reset (of BUTTON): a variant of the state."""
    direction_deg: float | None = None
    """Where the speaker is, degrees clockwise from the board's mark."""
    level: float = 0.0
    """Loudness of the microphone, 0..1."""
    heard_s: float | None = None
    """Seconds since the first word was heard; None before it."""

    def after(self, seconds: float) -> Scene:
        """The same, `seconds` later, where nothing happens until then: the level falls, words grow longer."""
        if self.state is not State.LISTENING:
            return self
        heard_s = None if self.heard_s is None else self.heard_s + seconds
        return replace(self, level=max(0.0, self.level - seconds / DECAY_S), heard_s=heard_s)
