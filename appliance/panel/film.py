"""In: a scene at a time. Out: its frames from then on, pure, so that the lamp's own thread can draw them.

A pattern that moves is handed over once, not 24 times a second: the event loop sleeps, and one thread wakes for a frame
instead of two.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.events import State
from appliance.panel import patterns
from appliance.panel.colour import Frame
from appliance.panel.scene import Scene
from appliance.panel.shape import Shape


@dataclass(frozen=True, slots=True)
class Film:
    """A scene that goes on by itself."""

    scene: Scene
    t_s: float
    """Seconds since the scene's state began, at `at_s`."""
    at_s: float
    """Monotonic seconds."""
    shape: Shape

    def frame(self, now_s: float) -> Frame:
        """The pixels at `now_s` (monotonic)."""
        later_s = max(0.0, now_s - self.at_s)
        return patterns.frame(self.scene.after(later_s), self.t_s + later_s, self.shape)


def goes_on(scene: Scene) -> bool:
    """Whether nothing but time moves this scene, at the pace of a film. Not so the button's: the finger moves it."""
    return patterns.stands_s(scene) == patterns.FRAME_S and scene.state is not State.BUTTON
