"""In: a panel on gpiozero's mock pins. Out: the right hands move, the right frames go out, nothing when nothing changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from appliance.errors import DeviceError, SettingsError, UsageError
from appliance.events import Bus, ButtonPressed, LevelMeasured, State, StateChanged, WakeDetected
from appliance.panel.boards.detect import Roots
from appliance.panel.colour import RED, Frame
from appliance.panel.command import panel_command
from appliance.panel.drivers.pins import Pins
from appliance.panel.gestures import Gesture
from appliance.panel.panel import Panel
from appliance.settings.panel import PanelSettings

PIN = 17


class Hands:
    """Hands that note what they did."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.sounds = False
        self.listens = False

    def hush(self) -> bool:
        if self.sounds:
            self.did.append("hush")
        sounded, self.sounds = self.sounds, False
        return sounded

    def press(self) -> None:
        self.did.append("press")

    def talk(self) -> bool:
        if self.listens:
            return False
        self.did.append("talk")
        return True

    def talked(self, ended: bool) -> None:
        self.did.append("talked" if ended else "let go")

    async def mute(self) -> None:
        self.did.append("mute")

    async def reset(self) -> None:
        self.did.append("reset")


class Bench:
    """A panel on the bench: a mock button, the virtual ring, every frame noted."""

    def __init__(self, **settings: object) -> None:
        self.factory = MockFactory()
        self.bus = Bus()
        self.hands = Hands()
        self.watch = self.bus.subscribe("test")
        options = {"board": "virtual", "button_pin": PIN, "brightness_percent": 40, "night_brightness_percent": 40}
        self.panel = Panel(
            PanelSettings.model_validate(options | settings),
            self.bus,
            target=self.hands,
            pins=Pins(lambda: None, self.factory),
            roots=Roots(Path("/nowhere"), Path("/nowhere"), Path("/nowhere")),
        )
        self.frames: list[tuple[float, Frame]] = []
        self.panel.on_frame = lambda frame, brightness: self.frames.append((time.monotonic(), frame))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Bench]:
        life = asyncio.create_task(self.panel.run())
        try:
            async with asyncio.timeout(10):
                await self.panel.found.wait()
                await asyncio.sleep(0.05)
                yield self
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            self.factory.reset()

    async def press(self, seconds: float, after_s: float = 0.4) -> None:
        self.factory.pin(PIN).drive_low()
        await asyncio.sleep(seconds)
        self.factory.pin(PIN).drive_high()
        await asyncio.sleep(after_s)

    def told(self) -> list[str]:
        queue = self.watch._queue
        return [event.gesture for event in queue if isinstance(event, ButtonPressed)]


async def test_a_press_listens_and_is_told() -> None:
    async with Bench().running() as bench:
        await bench.press(0.1)
        assert bench.hands.did == ["press"]
        assert bench.told() == ["single"]


async def test_sound_stops_under_the_finger_and_the_press_does_no_more() -> None:
    async with Bench().running() as bench:
        bench.hands.sounds = True
        bench.factory.pin(PIN).drive_low()
        await asyncio.sleep(0.1)
        assert bench.hands.did == ["hush"], "before the finger lets go"
        bench.factory.pin(PIN).drive_high()
        await asyncio.sleep(0.4)
        assert (bench.hands.did, bench.told()) == (["hush"], ["single"])


async def test_double_is_for_the_home_server_long_mutes() -> None:
    async with Bench().running() as bench:
        await bench.press(0.08, after_s=0.1)
        await bench.press(0.08)
        await bench.press(1.2)
        assert (bench.hands.did, bench.told()) == (["mute"], ["double", "long"])


async def test_holding_talks() -> None:
    async with Bench(hold_to_talk=True).running() as bench:
        await bench.press(0.5)
        assert bench.hands.did == ["talk", "talked", "let go"]
        bench.hands.did.clear()
        await bench.press(0.1)
        assert bench.hands.did == ["talk", "let go"], "a short press leaves the end to silence"
        bench.hands.did.clear()
        bench.hands.listens = True
        await bench.press(0.1)
        assert bench.hands.did == ["let go", "press"], "a press while it listens stops that"


async def test_wake_word_to_first_lit_frame() -> None:
    async with Bench().running() as bench:
        before = len(bench.frames)
        wake = WakeDetected(wake_word="alexa", score=0.9, direction_deg=0.0)
        bench.bus.publish(wake)
        await asyncio.sleep(0.2)
        at_s, frame = bench.frames[before]
        assert any(map(any, frame))
        assert at_s - wake.at_s < 0.05
        (delay_ms,) = bench.panel.status()["led_ms"]
        assert 0 <= delay_ms < 50


async def test_nothing_is_sent_while_nothing_changes() -> None:
    async with Bench().running() as bench:
        bench.bus.publish(StateChanged(state=State.MUTED))
        await asyncio.sleep(0.05)
        count = len(bench.frames)
        for _ in range(20):
            bench.bus.publish(LevelMeasured(level_dbfs=-20.0))
            bench.bus.publish(StateChanged(state=State.MUTED))
        await asyncio.sleep(0.3)
        assert len(bench.frames) == count
        bench.bus.publish(StateChanged(state=State.MUTED, on=False))
        await asyncio.sleep(0.05)
        assert len(bench.frames) == count + 1
        await asyncio.sleep(0.2)
        assert len(bench.frames) == count + 1
        assert bench.panel._timer is None, "an idle panel wakes nobody"


async def test_walk_and_show_and_what_cannot_be_shown() -> None:
    async with Bench().running() as bench:
        await panel_command(bench.panel, {"do": "pixel", "number": 3, "colour": "red", "seconds": 0.05})
        assert any(frame[3] == RED and sum(map(any, frame)) == 1 for _, frame in bench.frames)
        await asyncio.sleep(0.05)
        assert not any(map(any, bench.frames[-1][1])), "and dark again"
        await panel_command(bench.panel, {"do": "show", "state": "Timer-Ringing", "seconds": 0.1})
        for order, sentence in (
            ({"do": "pixel", "number": 12}, "There is no LED 12."),
            ({"do": "show", "state": "sleeping"}, "There is no state 'sleeping'; there are updating,"),
            ({"do": "show", "state": "idle", "seconds": -1}, "'seconds' is a number from 0 to 60"),
            ({"do": "dance"}, "The panel cannot do 'dance'."),
        ):
            with pytest.raises(UsageError) as refused:
                await panel_command(bench.panel, order)
            assert refused.value.message.startswith(sentence)


async def test_a_tested_button_does_nothing_else() -> None:
    async with Bench().running() as bench:
        asking = asyncio.create_task(panel_command(bench.panel, {"do": "gesture", "seconds": 3.0}))
        await asyncio.sleep(0.05)
        await bench.press(0.1)
        assert await asking == {"gesture": "single"}
        assert (bench.hands.did, bench.told()) == ([], [])
        assert await panel_command(bench.panel, {"do": "gesture", "seconds": 0.05}) == {"gesture": None}


class HeldPin(MockPin):
    """A pin with a finger on it already: its pull-up does not lift it."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self._change_state(False)


async def test_countdown_at_power_up() -> None:
    bench = Bench()
    bench.factory.pin_class = HeldPin
    async with bench.running():
        assert list(bench.panel.gestures.gestures) == [Gesture.COUNTDOWN]
        scene, _ = bench.panel._story.scene(time.monotonic() + 5.0)
        assert (scene.state, scene.reason) == (State.BUTTON, "reset")
        assert 0.4 < (scene.value or 0) < 0.52
        bench.panel.gestures.felt(Gesture.RESET)
        await asyncio.sleep(0.02)
        assert bench.hands.did == ["reset"]


async def test_no_gpio_is_a_sentence_and_the_leds_go_on(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.panel._pins = Pins(lambda: None)
    async with bench.running():
        bench.bus.publish(StateChanged(state=State.ERROR))
        await asyncio.sleep(0.1)
        assert "No GPIO: this machine has no Raspberry Pi header" in bench.panel.status()["problems"]["button"]
        assert any(map(any, bench.frames[-1][1]))


async def test_a_stuck_button_is_a_sentence() -> None:
    async with Bench().running() as bench:
        bench.panel.gestures.felt(Gesture.STUCK)
        assert "stuck" in bench.panel.status()["problems"]["button"]
        await bench.press(0.1)
        assert "button" not in bench.panel.status()["problems"], "it works again"


async def test_hands_that_fail_are_told() -> None:
    async with Bench().running() as bench:

        async def refuse() -> None:
            raise DeviceError("x", "The card is gone.")

        bench.hands.mute = refuse  # type: ignore[method-assign]
        bench.panel.gestures.felt(Gesture.LONG)
        await asyncio.sleep(0.02)
        assert bench.panel.status()["problems"]["button"] == "The card is gone."


def test_an_unknown_board_is_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsError):
        Panel(PanelSettings(board="respeaker"), Bus())
