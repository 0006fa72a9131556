"""In: a finger and a recording. Out: the real program, its LED states in the right order at the right times."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.events import DeviceEvent, Outcome, State, StateChanged
from appliance.panel.colour import Frame
from appliance.panel.gestures import Gesture
from appliance.replay.feed import feed_settings
from appliance.replay.player import FEED_BYTES
from appliance.replay.recording import load as load_recording
from appliance.settings import load
from appliance.wire.frame import Connection
from appliance.wire.sound import Feed
from tests.shared import AUDIO, MODELS, needs_shared

HOME = AUDIO / "commands/home"
SOON_S = 0.25
"""A state is on the LEDs this soon after its event, on a busy machine; alone it takes 1 ms."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A run of frames of one state."""

    state: State
    at_s: float
    frames: int
    lit: bool


class Eye:
    """Watches the LEDs and the bus."""

    def __init__(self, appliance: Appliance) -> None:
        self._panel = appliance.panel
        self._seen: list[tuple[State, float, Frame]] = []
        self._watch = appliance.bus.subscribe("eye", 20000)
        appliance.panel.on_frame = self._frame

    def _frame(self, frame: Frame, brightness: float) -> None:
        now_s = time.monotonic()
        self._seen.append((self._panel._story.scene(now_s)[0].state, now_s, frame))

    def shown(self) -> list[Shown]:
        runs = itertools.groupby(self._seen, key=lambda seen: seen[0])
        out = []
        for state, run in runs:
            frames = list(run)
            out.append(Shown(state, frames[0][1], len(frames), any(any(map(any, frame)) for _, _, frame in frames)))
        return out

    def states(self) -> list[State]:
        return [shown.state for shown in self.shown()]

    def events(self) -> list[DeviceEvent]:
        return list(self._watch._queue)

    async def until(self, what: str, met: Callable[[], bool], seconds: float = 20.0) -> None:
        end_s = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < end_s, f"{what}: {self.shown()}"
            await asyncio.sleep(0.005)


async def _press(appliance: Appliance, seconds: float) -> None:
    """A finger on the button's line."""
    appliance.panel.button.edge(True, time.monotonic())
    await asyncio.sleep(seconds)
    appliance.panel.button.edge(False, time.monotonic())


async def _feed(feed: Connection, audio: bytes) -> None:
    """A recording that begins with the first sample that is listened to."""
    for number, start in enumerate(range(0, len(audio), FEED_BYTES)):
        name = "recording" if number == 0 else f"recording{number}"
        await feed.send(Feed(name, number == 0, audio[start : start + FEED_BYTES]).event(), 30.0)


@contextlib.asynccontextmanager
async def _device(folder: Path, *assignments: str) -> AsyncIterator[tuple[Appliance, Eye]]:
    """The real program, ready and idle, with the virtual panel."""
    always = (f"models.mirror={MODELS}", "tts.warm=false", "panel.board=virtual")
    settings = feed_settings(load(None, [*always, *assignments])[0], folder, 1.0, HOME / "home.json")
    async with asyncio.timeout(90), app.running(settings, catalogue.resolve(settings)) as appliance:
        eye = Eye(appliance)
        assert await appliance.wait_ready()
        await eye.until("ready", lambda: appliance.panel._story.scene(time.monotonic())[0].state is State.IDLE)
        yield appliance, eye


@needs_shared
@pytest.mark.parametrize("hold_to_talk", [False, True], ids=["press", "hold to talk"])
async def test_press_speak_reply_press_to_stop_hold_to_mute(hold_to_talk: bool, tmp_path: Path) -> None:
    recording = load_recording(sorted(HOME.glob("*.flac"))[0])
    talk = f"panel.hold_to_talk={str(hold_to_talk).lower()}"
    async with _device(tmp_path, talk) as (appliance, eye), await appliance.sound.connect(10.0) as feed:
        await _feed(feed, recording.samples.tobytes())
        if hold_to_talk:
            await _hold(appliance, eye, recording.length_s)
        else:
            await _press_and_stop(appliance, eye)


@needs_shared
async def test_a_press_silences_a_timer_and_power_up_resets_the_volume(tmp_path: Path) -> None:
    async with _device(tmp_path) as (appliance, eye):
        appliance.agent.timers.start(0.3)
        await eye.until("ringing", lambda: State.TIMER_RINGING in eye.states())
        assert State.TIMER_RUNNING in eye.states()
        await _press(appliance, 0.1)
        await eye.until("silence", lambda: not appliance.agent.timers.ringing(), 1.0)
        await asyncio.sleep(0.4)
        assert eye.states()[-1] is State.IDLE
        assert not appliance.conversation.busy, "the press that silenced the timer opened nothing"

        before = appliance.agent.levels.percent("reply")
        await appliance.agent.set_volume(12)
        await eye.until("volume", lambda: eye.states()[-1] is State.VOLUME)
        appliance.panel.gesture_handler.felt(Gesture.RESET)
        await eye.until("reset", lambda: appliance.agent.levels.percent("reply") == before, 2.0)
        assert not (appliance.settings.device.state_dir / "levels.json").exists()


async def _press_and_stop(appliance: Appliance, eye: Eye) -> None:
    begun_s = time.monotonic()
    await _press(appliance, 0.1)
    await eye.until("reply", lambda: State.REPLYING in eye.states())
    await asyncio.sleep(0.2)
    stopped_s = time.monotonic()
    await _press(appliance, 0.1)
    await eye.until("stopped", lambda: bool(appliance.conversation.records) and not appliance.conversation.busy)
    assert time.monotonic() - stopped_s < 1.0, "the reply was cut, not spoken to its end"
    await asyncio.sleep(0.5)
    assert len(appliance.conversation.records) == 1, "the press that stopped the reply opened nothing"
    await _press(appliance, 1.3)
    await eye.until("muted", lambda: eye.states()[-1] is State.MUTED)
    assert appliance.agent.muted
    await asyncio.sleep(0.3)
    await _press(appliance, 0.1)
    await asyncio.sleep(0.5)
    assert len(appliance.conversation.records) == 1, "a press does not open a muted microphone"
    _check_turn(eye, begun_s, appliance)
    order = [state for state in eye.states() if state not in (State.IDLE, State.STARTING)]
    assert order[:5] == [State.BUTTON, State.LISTENING, State.THINKING, State.REPLYING, State.BUTTON]
    assert order[-4:] == [State.BUTTON, State.MUTED, State.BUTTON, State.MUTED]
    assert set(order[5:-4]) <= {State.REPLYING}, "the reply's last frames, while the card falls silent"


async def _hold(appliance: Appliance, eye: Eye, length_s: float) -> None:
    begun_s = time.monotonic()
    await _press(appliance, length_s + 1.5)  # longer than any silence would be waited for
    released_s = time.monotonic()
    assert not appliance.conversation.records, "silence ends nothing while the button is held"
    await eye.until("reply", lambda: State.REPLYING in eye.states())
    await eye.until("over", lambda: bool(appliance.conversation.records) and not appliance.conversation.busy)
    _check_turn(eye, begun_s, appliance)
    (thinking,) = [shown for shown in eye.shown() if shown.state is State.THINKING]
    assert 0.0 <= thinking.at_s - released_s < 1.0, "speech ends when the finger lets go"
    assert not appliance.agent.muted, "a finger that talks does not mute"


def _check_turn(eye: Eye, begun_s: float, appliance: Appliance) -> None:
    """Every state of the turn was on the LEDs as soon as it was on the bus, and lit."""
    record = appliance.conversation.records[0]
    assert record.cause == "button"
    assert record.outcome in (Outcome.ANSWERED, Outcome.NO_HOME_SERVER)
    begins: dict[State, float] = {}
    for event in eye.events():
        if isinstance(event, StateChanged) and event.on and event.at_s >= begun_s:
            begins.setdefault(event.state, event.at_s)
    shown = eye.shown()
    for state in (State.LISTENING, State.THINKING, State.REPLYING):
        first = next(run for run in shown if run.state is state and run.at_s >= begun_s)
        assert first.lit
        assert -0.001 <= first.at_s - begins[state] < SOON_S, state
