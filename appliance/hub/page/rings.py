"""Turns the panel's light patterns into short films for the page, so that a ring there looks like the one in the room."""

from __future__ import annotations

from functools import cache

from appliance.events import State
from appliance.panel import patterns
from appliance.panel.scene import Scene
from appliance.panel.shape import Kind, Shape

RING = Shape(Kind.RING, 12, mics=(1, 4, 7, 10))
FPS = 12
LOOP_S = 4.0
"""A film's length: two turns of the slowest spin, so that its end meets its beginning."""
SCENES = {
    State.LISTENING: Scene(State.LISTENING, level=0.4, heard_s=1.0),
    State.VOLUME: Scene(State.VOLUME, 0.6),
    State.TIMER_RUNNING: Scene(State.TIMER_RUNNING, 0.7),
    State.UPDATING: Scene(State.UPDATING, 0.5),
}
"""States whose picture depends on more than the state; all others need none."""


@cache
def rings() -> dict[str, object]:
    """`{"count", "fps", "states": {state: [frame, …]}}`; a frame is six hexadecimal digits a pixel."""
    states: dict[str, list[str]] = {}
    for state in State:
        scene = SCENES.get(state, Scene(state))
        stands = patterns.stands_s(scene) != patterns.FRAME_S
        times = [1.0] if stands else [frame / FPS for frame in range(int(LOOP_S * FPS))]
        states[state.value] = ["".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in _frame(scene, t_s)) for t_s in times]
    return {"count": RING.count, "fps": FPS, "states": states}


def _frame(scene: Scene, t_s: float) -> tuple[tuple[int, int, int], ...]:
    return patterns.frame(scene, t_s, RING)
