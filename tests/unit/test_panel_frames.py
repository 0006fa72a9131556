"""In: scenes and times. Out: the frames that golden files hold as readable text; states stay apart for every eye.

`python -m tests.unit.test_panel_frames` writes the golden files anew; look at the difference before you commit it.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.events import State
from appliance.panel import patterns
from appliance.panel.brightness import is_night
from appliance.panel.colour import BLUE, GREEN, OFF, ORANGE, PINK, RED, WHITE, YELLOW, Frame, light_8bit
from appliance.panel.picture import picture
from appliance.panel.scene import Scene
from appliance.panel.shape import Kind, Shape
from tests.shared import ROOT

GOLDEN = Path(__file__).parent / "golden"
SHAPES = {
    "ring12": Shape(Kind.RING, 12, mics=(1, 4, 7, 10)),
    "row3": Shape(Kind.ROW, 3),
    "rgb": Shape(Kind.RGB, 1),
    "plain": Shape(Kind.PLAIN, 1),
}
SCENES = {
    "updating 40 %": Scene(State.UPDATING, 0.4),
    "starting": Scene(State.STARTING),
    "button, half way to mute": Scene(State.BUTTON, 0.5),
    "button, 3 of 10 s to reset": Scene(State.BUTTON, 0.7, "reset"),
    "button, countdown over": Scene(State.BUTTON, 0.0, "reset"),
    "volume 60 %": Scene(State.VOLUME, 0.6),
    "timer_ringing": Scene(State.TIMER_RINGING),
    "listening, nobody speaks": Scene(State.LISTENING),
    "listening, voice at 90 degrees": Scene(State.LISTENING, direction_deg=90.0, level=0.5, heard_s=0.5),
    "thinking": Scene(State.THINKING),
    "replying": Scene(State.REPLYING),
    "error": Scene(State.ERROR),
    "not_ready": Scene(State.NOT_READY),
    "not_ready, deaf": Scene(State.NOT_READY, reason="deaf"),
    "timer_running, a third left": Scene(State.TIMER_RUNNING, 1 / 3),
    "muted": Scene(State.MUTED),
    "idle": Scene(State.IDLE),
}
TIMES_S = (0.0, 0.1, 0.3, 0.7, 1.1)


def _line(frame: Frame) -> str:
    return " ".join("......" if pixel == OFF else "{:02x}{:02x}{:02x}".format(*pixel) for pixel in frame)


def golden(shape: Shape) -> str:
    """Every scene at every time: `seconds  rrggbb …`, dots for dark."""
    parts = []
    for title, scene in SCENES.items():
        parts.append(f"# {title}")
        parts += [f"{t_s:.1f}  {_line(patterns.frame(scene, t_s, shape))}" for t_s in TIMES_S]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("name", SHAPES)
def test_frames_are_as_they_were_looked_at(name: str) -> None:
    assert golden(SHAPES[name]) == (GOLDEN / f"panel_{name}.txt").read_text(encoding="utf-8")


def test_the_picture_of_the_readme_is_of_today() -> None:
    assert (ROOT / "docs/panel.svg").read_text(encoding="utf-8") == picture(), "run `make pictures`"


def test_every_state_has_a_scene() -> None:
    assert {scene.state for scene in SCENES.values()} == set(State)


@given(
    state=st.sampled_from(State),
    kind=st.sampled_from(Kind),
    count=st.integers(1, 24),
    t_s=st.floats(0, 1e6),
    value=st.none() | st.floats(0, 1),
    direction=st.none() | st.floats(0, 360),
    level=st.floats(0, 1),
    heard_s=st.none() | st.floats(0, 100),
    reason=st.sampled_from((None, "deaf", "reset")),
)
@settings(max_examples=300, deadline=None)
def test_any_scene_fits_any_shape(state, kind, count, t_s, value, direction, level, heard_s, reason) -> None:  # type: ignore[no-untyped-def]
    scene = Scene(state, value, reason, direction, level, heard_s)
    shape = Shape(kind, count)
    frame = patterns.frame(scene, t_s, shape)
    assert len(frame) == count
    assert all(0 <= channel <= 255 for pixel in frame for channel in pixel)
    assert frame == patterns.frame(scene, t_s, shape)


@pytest.mark.parametrize("name", ["ring12", "row3"])
def test_no_two_states_ever_look_alike(name: str) -> None:
    """Within two seconds no frame of one state is a frame of another (dark moments aside)."""
    seen: dict[Frame, str] = {}
    for title, scene in SCENES.items():
        for step in range(60):
            frame = patterns.frame(scene, step / 30, SHAPES[name])
            if any(map(any, frame)):
                assert seen.setdefault(frame, scene.state.value) == scene.state.value, title
    assert set(seen.values()) == set(State) - {State.IDLE}, "only an idle device is dark"


@pytest.mark.parametrize("name", ["rgb", "plain"])
def test_rhythms_of_a_single_led_differ(name: str) -> None:
    def rhythm(scene: Scene) -> tuple[Frame, ...]:
        return tuple(patterns.frame(scene, step / 20, SHAPES[name]) for step in range(60))

    rhythms = [rhythm(scene) for scene in SCENES.values()]
    assert len(set(rhythms)) == len(rhythms)


@pytest.mark.parametrize("direction", range(0, 360, 30))
def test_spot_sits_where_the_speaker_is(direction: int) -> None:
    scene = Scene(State.LISTENING, direction_deg=float(direction))
    frame = patterns.frame(scene, 1.0, SHAPES["ring12"])
    assert max(range(12), key=lambda pixel: sum(frame[pixel])) == direction // 30
    turned = Shape(Kind.RING, 12, first_deg=90.0, clockwise=False)
    frame = patterns.frame(scene, 1.0, turned)
    assert max(range(12), key=lambda pixel: sum(frame[pixel])) == (90 - direction) // 30 % 12


@pytest.mark.parametrize("state", [State.VOLUME, State.TIMER_RUNNING, State.UPDATING])
def test_bars_grow_with_what_they_show(state: State) -> None:
    lights = [sum(map(sum, patterns.frame(Scene(state, n / 24), 0.0, SHAPES["ring12"]))) for n in range(25)]
    assert lights == sorted(lights)
    assert lights[-1] > lights[0]


def test_still_states_need_no_frames() -> None:
    assert {state for state in State if patterns.stands_s(Scene(state)) is None} == {
        State.IDLE,
        State.MUTED,
        State.VOLUME,
    }


# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009), full
# severity; on linear RGB.
EYES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
LISTEN_THINK_REPLY_WRONG = {"listening": BLUE, "thinking": YELLOW, "replying": GREEN, "wrong": RED}


def _lab(colour: tuple[int, int, int], eye: str) -> np.ndarray:
    linear = np.clip(np.array(EYES[eye]) @ (np.array(colour) / 255) ** 2.2, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    x, y, z = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", EYES)
def test_colours_stay_apart_for_colour_blind_eyes(eye: str) -> None:
    """A difference of 20 in CIELAB is seen at a glance; the states of a turn must have it between any two."""
    for (one, a), (other, b) in itertools.combinations(LISTEN_THINK_REPLY_WRONG.items(), 2):
        difference = float(np.linalg.norm(_lab(a, eye) - _lab(b, eye)))
        assert difference >= 20, f"{one} and {other}: {difference:.0f}"


def test_dim_light_does_not_go_out_and_zero_is_dark() -> None:
    assert light_8bit((255, 255, 255), 1.0) == (255, 255, 255)
    assert light_8bit((40, 0, 12), 0.06) == (1, 0, 1)
    assert light_8bit((255, 255, 255), 0.0) == OFF
    assert all(light_8bit(colour, 0.5) != OFF for colour in (ORANGE, PINK, WHITE))


@pytest.mark.parametrize(
    ("hour", "night"), [(21, False), (22, True), (23, True), (0, True), (6, True), (7, False), (12, False)]
)
def test_night_goes_over_midnight(hour: int, night: bool) -> None:
    assert is_night(hour, 22, 7) is night


def test_night_within_a_day_and_none() -> None:
    assert [hour for hour in range(24) if is_night(hour, 1, 4)] == [1, 2, 3]
    assert not any(is_night(hour, 5, 5) for hour in range(24))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, shape in SHAPES.items():
        (GOLDEN / f"panel_{name}.txt").write_text(golden(shape), encoding="utf-8")
