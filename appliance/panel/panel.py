"""In: the bus, the board, the button. Out: light; `panel.touch` has what the finger wants done.

happening → Story → scene → frame or film (pure) → Lamp (a thread) → driver. A frame is sent only when it differs from the
last one; between happenings the event loop is woken only while the finger moves a pattern, or somebody watches the frames.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from appliance.errors import UsageError
from appliance.events import Bus, LevelMeasured, PartialHeard, State, WakeDetected
from appliance.panel import patterns
from appliance.panel.boards import mixer
from appliance.panel.boards.detect import Roots
from appliance.panel.boards.registry import by_name
from appliance.panel.brightness import Brightness
from appliance.panel.button import Button
from appliance.panel.button_target import ButtonTarget
from appliance.panel.colour import OFF, RGB, Frame
from appliance.panel.drivers.pins import Chip, Pins
from appliance.panel.equip import Equipment, equip
from appliance.panel.film import Film, goes_on
from appliance.panel.gesture_handler import GestureHandler
from appliance.panel.gestures import Gestures, Limits
from appliance.panel.lamp import Lamp
from appliance.panel.story import Story
from appliance.settings.panel import PanelSettings

log = logging.getLogger(__name__)

WATCHED = 512
HOUR_CHECK_S = 60.0
"""A pattern that stands is looked at this often, as the night may have begun."""


class Panel:
    """LEDs and button. Made by the app; `run` is its life."""

    def __init__(
        self,
        settings: PanelSettings,
        bus: Bus,
        chip: Chip = lambda: None,
        target: ButtonTarget | None = None,
        pins: Pins | None = None,
        roots: Roots | None = None,
    ) -> None:
        """`chip` finds the header's GPIO chip; `hands` do what the button asks for (None: nothing is done).

        Raises SettingsError for a board that nobody knows.
        """
        if settings.board not in ("auto", "none"):
            by_name(settings.board)
        self._settings = settings
        self._watch = bus.subscribe("panel", WATCHED)
        self._pins = pins or Pins(chip)
        self._roots = roots
        self._story = Story()
        self._timer: asyncio.TimerHandle | None = None
        self._shown: tuple[Frame, float] | None = None
        self._walked: tuple[Frame, float] | None = None
        self._film: tuple[State, float] | None = None
        """The state that the lamp plays by itself, and its brightness."""
        self.brightness = Brightness(settings)
        limits = Limits()
        self.gestures = GestureHandler(settings.hold_to_talk, limits, bus, self._story, target, self._draw)
        self.button = Button(Gestures(settings.hold_to_talk, limits), self.gestures.felt)
        self.lamp: Lamp | None = None
        self.equipment: Equipment | None = None
        self.found = asyncio.Event()
        """Set once it is known what is here."""
        self.problems: dict[str, str] = {}
        """What is wrong besides what lamp, button and touch tell of themselves, by part."""
        self.on_frame: Callable[[Frame, float], None] | None = None
        """Sees every new frame and its brightness (0..1), in the event loop."""
        self.drawn_elsewhere = False
        """Set before `run`: no driver is opened, whoever takes `on_frame` draws (`appliance demo`)."""

    async def run(self) -> None:
        """Finds the board, then shows and feels until cancelled. Nothing that is missing ends it."""
        self.equipment = await asyncio.to_thread(equip, self._settings, self._pins, self._roots)
        self.found.set()
        board = self.equipment.board
        log.info("panel: %s (%s)", board.title if board else "no board", self.equipment.why)
        self._light_up()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_bus(), name="panel bus")
                if self.equipment.button_pin is not None:
                    group.create_task(self.button.run(self._pins, self.equipment.button_pin), name="panel button")
                if board is not None and self._settings.mixer:
                    group.create_task(self._set_mixer(), name="panel mixer")
        finally:
            self._go_dark()

    def show(self, state: State, seconds: float, value: float | None = None) -> None:
        """Shows `state` for `seconds`, whatever else holds (`appliance panel show`)."""
        self._walked = None
        self._story.preview(state, time.monotonic(), seconds, value)
        self._draw()

    def pixel(self, number: int, colour: RGB, seconds: float) -> None:
        """Lights one LED alone (`appliance panel test`). Raises UsageError where there is no such LED."""
        shape = self.equipment.shape if self.equipment is not None else None
        if shape is None or not 0 <= number < shape.count:
            raise UsageError("no-led", f"There is no LED {number}.")
        frame = tuple(colour if pixel == number else OFF for pixel in range(shape.count))
        self._walked = (frame, time.monotonic() + seconds)
        self._draw()

    def status(self) -> dict[str, Any]:
        """What is here and what is wrong with it; without anything private."""
        equipment, lamp, button = self.equipment, self.lamp, self.button
        problems = dict(self.problems)
        if lamp is not None and lamp.problem is not None:
            problems["leds"] = lamp.problem.message
        if (trouble := button.problem.message if button.problem is not None else self.gestures.trouble) is not None:
            problems["button"] = trouble
        return {
            "board": equipment.board.name if equipment and equipment.board else None,
            "why": equipment.why if equipment else None,
            "leds": equipment.shape.count if equipment and equipment.shape else 0,
            "button_pin": equipment.button_pin if equipment else None,
            "problems": problems,
            "frames_sent": lamp.counters.sent if lamp else 0,
            "frames_superseded": lamp.counters.superseded if lamp else 0,
            "led_ms": [round(ms, 2) for ms in lamp.delays_ms] if lamp else [],
        }

    # -- what happens ---------------------------------------------------------------------------------------------

    async def _watch_bus(self) -> None:
        async for event in self._watch:
            if isinstance(event, WakeDetected) and self.lamp is not None:
                self.lamp.expect(event.at_s)
            # a film knows no more of the voice than what was known when it began
            voice = isinstance(event, LevelMeasured | PartialHeard) and self._filming(State.LISTENING)
            if self._story.take(event) or voice:
                self._draw()

    async def _set_mixer(self) -> None:
        assert self.equipment is not None and self.equipment.board is not None
        wrong = await asyncio.to_thread(mixer.apply, self.equipment.board)
        for sentence in wrong:
            log.warning("mixer: %s", sentence)
        if wrong:
            self.problems["mixer"] = wrong[0]

    # -- light ----------------------------------------------------------------------------------------------------

    def _light_up(self) -> None:
        assert self.equipment is not None
        if self.equipment.open_lights is not None and not self.drawn_elsewhere:
            self.lamp = Lamp(self.equipment.open_lights)
            self.lamp.start()
        self._draw()

    def _go_dark(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.gestures.close()
        if self.lamp is not None and self.equipment is not None and self.equipment.shape is not None:
            self.lamp.show((OFF,) * self.equipment.shape.count, 0.0)
            self.lamp.close()

    def _draw(self) -> None:
        """Draws what is to be shown now, and comes back when it will look different."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        shape = self.equipment.shape if self.equipment is not None else None
        if shape is None:
            return
        now_s = time.monotonic()
        if self._walked is not None and now_s >= self._walked[1]:
            self._walked = None
        scene, t_s = self._story.scene(now_s)
        moves_s = None
        if self._walked is not None:
            self._send(self._walked[0], self.brightness.now())
        elif self.lamp is not None and self.on_frame is None and goes_on(scene):
            self._play(self.lamp, Film(scene, t_s, now_s, shape))
        else:
            self._send(patterns.frame(scene, t_s, shape), self.brightness.now())
            moves_s = patterns.stands_s(scene)
        waits = [] if moves_s is None else [moves_s]
        ends_s = self._story.next_s(now_s) if self._walked is None else self._walked[1]
        waits += [] if ends_s is None else [max(0.0, ends_s - now_s)]
        waits += [HOUR_CHECK_S] if scene.state is not State.IDLE else []
        if waits:
            self._timer = asyncio.get_running_loop().call_later(min(waits), self._draw)

    def _play(self, lamp: Lamp, film: Film) -> None:
        """Has the lamp go on by itself; a film of the same state goes over to the new one at its next frame."""
        playing = (film.scene.state, self.brightness.now())
        lamp.play(film.frame, playing[1], patterns.FRAME_S, at_once=playing != self._film)
        self._film, self._shown = playing, None

    def _filming(self, state: State) -> bool:
        return self._film is not None and self._film[0] is state

    def _send(self, frame: Frame, brightness: float) -> None:
        self._film = None
        if (frame, brightness) == self._shown or (self._dark() and not any(map(any, frame))):
            return
        self._shown = (frame, brightness)
        if self.lamp is not None:
            self.lamp.show(frame, brightness)
        if self.on_frame is not None:
            self.on_frame(frame, brightness)

    def _dark(self) -> bool:
        """Dark is dark, by day and by night."""
        return self._shown is not None and not any(map(any, self._shown[0]))

    async def set_brightness(self, percent: int) -> None:
        """Brightness by day from now on, 1..100 percent, until the next start; nights stay dim."""
        self.brightness.day_percent = percent
        self._draw()
