"""In: a scene, seconds, a single RGB LED or plain ones. Out: one frame: colour and rhythm, or rhythm alone.

A plain LED has no colour, so every state has a rhythm of its own; the same rhythm serves the RGB LED.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.events import State
from appliance.panel.colour import BLUE, GREEN, OFF, ORANGE, PINK, RED, RGB, WHITE, YELLOW, Frame, dim
from appliance.panel.patterns.wave import blink, breath, fade, solid
from appliance.panel.scene import Scene
from appliance.panel.shape import Shape

Rhythm = Callable[[Scene, float], float]
"""Lightness 0..1 of a scene at a time."""


def _button(scene: Scene, t_s: float) -> float:
    """Lit under the finger; fast blinks near the end of a countdown."""
    if scene.reason == "reset":
        return 1.0 if blink(t_s, 0.15 + 0.85 * (scene.value or 0.0)) else 0.0
    return max(0.3, fade(t_s, 0.3))


def _listening(scene: Scene, t_s: float) -> float:
    """Lit at once, then as bright as the voice is loud."""
    return max(0.45 + 0.55 * scene.level, fade(t_s, 0.3))


def _timer_ringing(scene: Scene, t_s: float) -> float:
    """Two short, a pause."""
    return 1.0 if t_s % 0.8 < 0.4 and blink(t_s % 0.8, 0.2) else 0.0


def _not_ready(scene: Scene, t_s: float) -> float:
    """A short flash every two seconds; deaf: two."""
    flashes = (0.0, 0.3) if scene.reason == "deaf" else (0.0,)
    return 0.8 if any(start <= t_s % 2.0 < start + 0.12 for start in flashes) else 0.0


RHYTHMS: dict[State, tuple[RGB, Rhythm]] = {
    State.UPDATING: (BLUE, lambda scene, t_s: 1.0 if t_s % 1.0 < 0.1 + 0.8 * (scene.value or 0.0) else 0.2),
    State.STARTING: (WHITE, lambda scene, t_s: breath(t_s, 1.6, 0.1)),
    State.BUTTON: (WHITE, _button),
    State.VOLUME: (WHITE, lambda scene, t_s: 0.1 + 0.9 * (scene.value or 0.0)),
    State.TIMER_RINGING: (PINK, _timer_ringing),
    State.LISTENING: (BLUE, _listening),
    State.THINKING: (YELLOW, lambda scene, t_s: breath(t_s, 0.5, 0.2)),
    State.REPLYING: (GREEN, lambda scene, t_s: breath(t_s + 0.6, 1.2, 0.4)),
    State.ERROR: (RED, lambda scene, t_s: 1.0 if blink(t_s, 0.25) else 0.0),
    State.NOT_READY: (RED, _not_ready),
    State.TIMER_RUNNING: (PINK, lambda scene, t_s: 0.1 + 0.3 * (scene.value or 0.0)),
    State.MUTED: (RED, lambda scene, t_s: 0.25),
    State.IDLE: (OFF, lambda scene, t_s: 0.0),
}


def rgb(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Colour and rhythm."""
    colour, rhythm = RHYTHMS[scene.state]
    if scene.reason in ("deaf", "reset"):
        colour = ORANGE
    return solid(shape.count, dim(colour, rhythm(scene, t_s)))


def plain(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Rhythm alone, the same on every LED; grey stands for brightness."""
    _, rhythm = RHYTHMS[scene.state]
    return solid(shape.count, dim((255, 255, 255), rhythm(scene, t_s)))
