"""In: scenes. Out: films show, frame by frame, what the patterns would; the panel's event loop sleeps meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.events import Bus, LevelMeasured, State, StateChanged
from appliance.panel import panel as panel_module
from appliance.panel import patterns
from appliance.panel.colour import Frame
from appliance.panel.equip import Equipment
from appliance.panel.film import Film, goes_on
from appliance.panel.panel import Panel
from appliance.panel.scene import DECAY_S, Scene
from appliance.panel.shape import Kind, Shape
from appliance.settings.panel import PanelSettings

RING = Shape(Kind.RING, 12)


def test_a_film_is_the_pattern_at_its_time() -> None:
    scene = Scene(State.THINKING)
    film = Film(scene, 0.25, 100.0, RING)
    assert film.frame(100.0) == patterns.frame(scene, 0.25, RING)
    assert film.frame(100.3) == patterns.frame(scene, 0.25 + (100.3 - 100.0), RING)


def test_in_a_film_the_level_falls_and_words_grow_longer() -> None:
    scene = Scene(State.LISTENING, level=1.0, heard_s=0.5)
    assert scene.after(DECAY_S / 2) == replace(scene, level=0.5, heard_s=0.5 + DECAY_S / 2)
    assert scene.after(9.0).level == 0.0
    assert Scene(State.LISTENING).after(1.0).heard_s is None


@pytest.mark.parametrize("state", [State.IDLE, State.MUTED, State.VOLUME, State.TIMER_RUNNING, State.BUTTON])
def test_what_stands_or_follows_a_finger_is_no_film(state: State) -> None:
    assert not goes_on(Scene(state))


class Lights:
    """Lights that note their frames and the threads that drew them."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.threads: set[str] = set()

    def show(self, frame: Frame, brightness: float) -> None:
        self.frames.append(frame)
        self.threads.add(threading.current_thread().name)

    def close(self) -> None:
        pass


async def until(true: Callable[[], bool]) -> None:
    for _ in range(800):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 8 s")


async def test_the_panel_moves_on_the_lamps_thread_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lights, bus = Lights(), Bus()
    monkeypatch.setattr(panel_module, "equip", lambda *given: Equipment(None, "a test", RING, lambda: lights, None))
    panel = Panel(PanelSettings(), bus)
    drawn: list[float] = []
    draw = panel._draw
    monkeypatch.setattr(panel, "_draw", lambda: (drawn.append(0.0), draw()))
    life = asyncio.create_task(panel.run())
    try:
        async with asyncio.timeout(10):
            await panel.found.wait()
            bus.publish(StateChanged(state=State.LISTENING))
            await until(lambda: len(lights.frames) >= 5)
            before = len(drawn)
            bus.publish(LevelMeasured(level_dbfs=-15.0))
            await until(lambda: len(lights.frames) >= 12)
            assert len(drawn) == before + 1, "a new level is told to the film, and nothing else wakes the loop"
            bus.publish(StateChanged(state=State.LISTENING, on=False))
            await until(lambda: not any(map(any, lights.frames[-1])))
            dark = len(lights.frames)
            await asyncio.sleep(0.1)
            assert len(lights.frames) == dark, "idle is dark, and nothing is sent"
            assert lights.threads == {"lamp"}
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
