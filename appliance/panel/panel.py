"""In: the bus, the board, the button. Out: light, `ButtonPressed` on the bus, and what the finger wants done.

happening → Story → scene → frame or film (pure) → Lamp (a thread) → driver. A frame is sent only when it differs from the
last one; between happenings the event loop is woken only while the finger moves a pattern, or somebody watches the frames.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.errors import DeviceError, UsageError
from appliance.events import Bus, ButtonPressed, LevelMeasured, PartialHeard, State, WakeDetected
from appliance.panel import patterns
from appliance.panel.boards import mixer
from appliance.panel.boards.detect import Roots
from appliance.panel.boards.registry import by_name
from appliance.panel.button import Button
from appliance.panel.colour import OFF, RGB, Frame
from appliance.panel.drivers.pins import Chip, Pins
from appliance.panel.equip import Equipment, equip
from appliance.panel.film import Film, goes_on
from appliance.panel.gestures import TOLD, Gesture, Gestures, Limits
from appliance.panel.hands import Hands
from appliance.panel.lamp import Lamp
from appliance.panel.story import Story
from appliance.settings.panel import PanelSettings

log = logging.getLogger(__name__)

WATCHED = 512
HOUR_CHECK_S = 60.0
"""A pattern that stands is looked at this often, as the night may have begun."""
FLASH_S = 0.15
"""How long a press is acknowledged where holding talks."""


class Panel:
    """LEDs and button. Made by the app; `run` is its life."""

    def __init__(
        self,
        settings: PanelSettings,
        bus: Bus,
        chip: Chip = lambda: None,
        hands: Hands | None = None,
        pins: Pins | None = None,
        roots: Roots | None = None,
    ) -> None:
        """`chip` finds the header's GPIO chip; `hands` do what the button asks for (None: nothing is done).

        Raises SettingsError for a board that nobody knows.
        """
        if settings.board not in ("auto", "none"):
            by_name(settings.board)
        self._settings = settings
        self._bus = bus
        self._watch = bus.watch("panel", WATCHED)
        self._hands = hands
        self._pins = pins or Pins(chip)
        self._roots = roots
        self._limits = Limits()
        self._story = Story()
        self._timer: asyncio.TimerHandle | None = None
        self._shown: tuple[Frame, float] | None = None
        self._walked: tuple[Frame, float] | None = None
        self._film: tuple[State, float] | None = None
        """The state that the lamp plays by itself, and its brightness."""
        self._hushed = False
        self._day_percent = settings.brightness_percent
        self._tasks: set[asyncio.Task[None]] = set()
        self.button = Button(Gestures(settings.hold_to_talk, self._limits), self._felt)
        self.lamp: Lamp | None = None
        self.equipment: Equipment | None = None
        self.found = asyncio.Event()
        """Set once it is known what is here."""
        self.problems: dict[str, str] = {}
        """What is wrong, by part: leds, button, mixer."""
        self.gestures: deque[Gesture] = deque(maxlen=16)
        self.on_frame: Callable[[Frame, float], None] | None = None
        """Sees every new frame and its brightness (0..1), in the event loop."""
        self.drawn_elsewhere = False
        """Set before `run`: no driver is opened, whoever takes `on_frame` draws (`appliance demo`)."""
        self.on_gesture: Callable[[Gesture], None] | None = None
        """Takes the gestures while it is set (`appliance panel test`): they do nothing else then."""

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
        if button.problem is not None:
            problems["button"] = button.problem.message
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
        async for happening in self._watch:
            if isinstance(happening, WakeDetected) and self.lamp is not None:
                self.lamp.expect(happening.at_s)
            # a film knows no more of the voice than what was known when it began
            voice = isinstance(happening, LevelMeasured | PartialHeard) and self._filming(State.LISTENING)
            if self._story.take(happening) or voice:
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
        for task in self._tasks:
            task.cancel()
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
            self._send(self._walked[0], self._brightness())
        elif self.lamp is not None and self.on_frame is None and goes_on(scene):
            self._play(self.lamp, Film(scene, t_s, now_s, shape))
        else:
            self._send(patterns.frame(scene, t_s, shape), self._brightness())
            moves_s = patterns.stands_s(scene)
        waits = [] if moves_s is None else [moves_s]
        ends_s = self._story.next_s(now_s) if self._walked is None else self._walked[1]
        waits += [] if ends_s is None else [max(0.0, ends_s - now_s)]
        waits += [HOUR_CHECK_S] if scene.state is not State.IDLE else []
        if waits:
            self._timer = asyncio.get_running_loop().call_later(min(waits), self._draw)

    def _play(self, lamp: Lamp, film: Film) -> None:
        """Has the lamp go on by itself; a film of the same state goes over to the new one at its next frame."""
        playing = (film.scene.state, self._brightness())
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
        self._day_percent = percent
        self._draw()

    def _brightness(self) -> float:
        settings = self._settings
        hour = time.localtime().tm_hour
        if is_night(hour, settings.night_from_hour, settings.night_to_hour):
            return settings.night_brightness_percent / 100
        return self._day_percent / 100

    # -- touch ----------------------------------------------------------------------------------------------------

    def _felt(self, gesture: Gesture) -> None:
        """A gesture of the button."""
        now_s = time.monotonic()
        self.gestures.append(gesture)
        if gesture in TOLD and self.on_gesture is None:
            log.info("button %s", gesture)
            self._bus.publish(ButtonPressed(gesture=gesture.value))
        match gesture:
            case Gesture.DOWN:
                self._pressed(now_s)
            case Gesture.UP:
                self._let_go(now_s)
            case Gesture.COUNTDOWN:
                self._story.finger(now_s, self._limits.reset_s, draining=True)
            case Gesture.LONG:
                self._story.finger_off(now_s)
            case Gesture.STUCK:
                self._story.finger_off(now_s)
                self._trouble(f"The button is stuck: it has been down for {self._limits.stuck_s:.0f} s.")
            case Gesture.BOUNCING:
                self._trouble("The button's contact is broken: it bounces without end.")
            case _:
                pass
        if self.on_gesture is not None:
            self.on_gesture(gesture)
        elif self._hands is not None:
            self._act(gesture, self._hands)
        self._draw()

    def _pressed(self, now_s: float) -> None:
        self.problems.pop("button", None)
        talk = self._settings.hold_to_talk
        self._story.finger(now_s, self._limits.long_s, until_s=now_s + FLASH_S if talk else None)

    def _let_go(self, now_s: float) -> None:
        self._story.finger_off(now_s)

    def _act(self, gesture: Gesture, hands: Hands) -> None:
        """What the finger wants. Sound stops under the finger; everything else waits for the gesture to be known."""
        talk = self._settings.hold_to_talk
        match gesture:
            case Gesture.DOWN:
                self._hushed = hands.hush() or (talk and hands.talk())
            case Gesture.UP if talk:
                hands.talked(ended=False)
            case Gesture.SINGLE if not self._hushed:
                hands.press()
            case Gesture.RELEASE:
                hands.talked(ended=True)
            case Gesture.LONG:
                self._later(hands.mute())
            case Gesture.RESET:
                self._later(hands.reset())
            case _:
                pass

    def _trouble(self, sentence: str) -> None:
        log.warning("button: %s", sentence)
        self.problems["button"] = sentence

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DeviceError as error:
            self._trouble(error.message)


def is_night(hour: int, from_hour: int, to_hour: int) -> bool:
    """Whether `hour` (0..23) lies in the night, which may go over midnight."""
    if from_hour <= to_hour:
        return from_hour <= hour < to_hour
    return hour >= from_hour or hour < to_hour
