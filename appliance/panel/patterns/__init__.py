"""In: a scene, seconds since its state began, the LEDs' shape. Out: the frame, and for how long it stands."""

from __future__ import annotations

from appliance.events import State
from appliance.panel.colour import Frame
from appliance.panel.patterns import ring, row, single
from appliance.panel.scene import Scene
from appliance.panel.shape import Kind, Shape

FRAME_S = 1 / 24
"""Between frames of a pattern that moves: smooth to the eye, as in the cinema."""
STILL: dict[State, float | None] = {State.IDLE: None, State.MUTED: None, State.VOLUME: None, State.TIMER_RUNNING: 0.5}
"""Patterns that stand: seconds until they may look different; None: until something happens."""


def frame(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """The pixels of `scene`, `t_s` seconds (≥ 0) after its state began. Pure."""
    if shape.kind is Kind.RGB:
        return single.rgb(scene, t_s, shape)
    if shape.kind is Kind.PLAIN:
        return single.plain(scene, t_s, shape)
    patterns = ring.PATTERNS if shape.kind is Kind.RING else row.PATTERNS
    return patterns[scene.state](scene, t_s, shape)


def stands_s(scene: Scene) -> float | None:
    """Seconds after which the next frame is due; None where this one stands."""
    return STILL.get(scene.state, FRAME_S)
