"""In: seconds. Out: what the panel costs in each state that moves: frames a second, and its share of a core.

The real panel, story, patterns and lamp; the driver encodes APA102 frames for a ring of twelve, and the bytes go nowhere.
`python -m tests.panel_cost --seconds 30`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time

from appliance.events import Bus, EngineChanged, LevelMeasured, PartialHeard, State, StateChanged, WakeDetected
from appliance.panel import panel as panel_module
from appliance.panel.colour import Frame
from appliance.panel.drivers.apa102 import encode
from appliance.panel.equip import Equipment
from appliance.panel.panel import Panel
from appliance.panel.shape import Kind, Shape
from appliance.panel.story import GRACE_S
from appliance.settings.panel import PanelSettings

STATES = (
    State.STARTING, State.LISTENING, State.THINKING, State.REPLYING, State.ERROR,
    State.NOT_READY, State.TIMER_RINGING, State.UPDATING, State.IDLE,
)  # fmt: skip
LEVEL_S = 0.1
"""The ear measures its level ten times a second."""
SHAPES = {"ring": Shape(Kind.RING, 12), "row": Shape(Kind.ROW, 3)}


class Nowhere:
    """Lights whose bytes are made and dropped."""

    def __init__(self) -> None:
        self.frames = 0

    def show(self, frame: Frame, brightness: float) -> None:
        encode(frame, brightness)
        self.frames += 1

    def close(self) -> None:
        """Nothing is held."""


async def begin(bus: Bus, state: State) -> None:
    """Brings the panel into `state`, as the program does."""
    if state is State.NOT_READY:
        bus.publish(EngineChanged(engine="stt", change="died"))
        await asyncio.sleep(GRACE_S)
        return
    if state is State.LISTENING:
        bus.publish(WakeDetected(wake_word="alexa", score=1.0, direction_deg=100.0))
    bus.publish(StateChanged(state=state, value=0.4 if state is State.UPDATING else None))


async def talk(bus: Bus, seconds: float) -> None:
    """A voice: its level, and words after a second."""
    for tick in range(int(seconds / LEVEL_S)):
        bus.publish(LevelMeasured(level_dbfs=-35.0 + 15 * math.sin(tick / 3)))
        if tick == 10:
            bus.publish(PartialHeard(turn="t1", text="set", audio_ms=1000))
        await asyncio.sleep(LEVEL_S)


async def measure(state: State, seconds: float, shape: Shape) -> dict[str, float | str]:
    """One state for `seconds`."""
    lights, bus = Nowhere(), Bus()
    equipment = Equipment(None, "measured", shape, lambda: lights, None)
    panel_module.equip = lambda *given: equipment  # type: ignore[attr-defined]
    panel = Panel(PanelSettings(night_from_hour=0, night_to_hour=0), bus)
    task = asyncio.create_task(panel.run())
    await panel.found.wait()
    await begin(bus, state)
    await asyncio.sleep(1.5)  # the flash is over, and a wake word's own light
    began_s, began_frames = time.process_time(), lights.frames
    if state is State.LISTENING:
        await talk(bus, seconds)
    else:
        await asyncio.sleep(seconds)
    used_s, frames = time.process_time() - began_s, lights.frames - began_frames
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return {
        "state": state.value,
        "cpu_percent": round(100 * used_s / seconds, 2),
        "frames_a_second": round(frames / seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="for each state")
    parser.add_argument("--shape", choices=tuple(SHAPES), default="ring")
    arguments = parser.parse_args()
    for state in STATES:
        row = asyncio.run(measure(state, arguments.seconds, SHAPES[arguments.shape]))
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
