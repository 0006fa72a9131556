"""In: a GPIO line. Out: gestures in the event loop, debounced, with their countdowns running.

gpiozero calls back on a thread of its own; `call_soon_threadsafe` is its only door into the program.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import gpiozero

from appliance.errors import DeviceError
from appliance.panel.drivers.pins import Pins
from appliance.panel.gestures import Gesture, Gestures

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 5.0
"""Asking the kernel is cheap, and whoever ended the other program presses the button soon after."""


class Button:
    """The button. `run` opens its line and keeps at it; `edge` is the line's own door, for virtual buttons too."""

    def __init__(self, gestures: Gestures, on_gesture: Callable[[Gesture], None]) -> None:
        """`on_gesture` is called in the event loop."""
        self._gestures = gestures
        self._on_gesture = on_gesture
        self._timer: asyncio.TimerHandle | None = None
        self.problem: DeviceError | None = None

    def edge(self, pressed: bool, at_s: float) -> None:
        """The line changed at `at_s` (monotonic). In the event loop."""
        self._tell(self._gestures.edge(pressed, at_s))

    async def run(self, pins: Pins, pin: int) -> None:
        """Listens to GPIO `pin` until cancelled; a line that cannot be had is tried again with a growing pause."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                line = await asyncio.to_thread(self._open, pins, pin)
                break
            except DeviceError as error:
                if self.problem is None or self.problem.message != error.message:
                    log.warning("button: %s Trying again.", error)
                self.problem = error
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
        self.problem = None
        try:
            self._listen(line)
            await asyncio.Event().wait()
        finally:
            line.close()

    @staticmethod
    def _open(pins: Pins, pin: int) -> gpiozero.Button:
        with pins.taking(pin) as factory:
            # no bounce_time: the gestures' own filter needs to see every edge, to tell a broken contact
            return gpiozero.Button(pin, pull_up=True, bounce_time=None, pin_factory=factory)

    def _listen(self, line: gpiozero.Button) -> None:
        loop = asyncio.get_running_loop()

        def changed(pressed: bool) -> None:
            loop.call_soon_threadsafe(self.edge, pressed, time.monotonic())

        line.when_pressed = lambda: changed(True)
        line.when_released = lambda: changed(False)
        self._tell(self._gestures.begin(bool(line.is_pressed), time.monotonic()))

    def _tick(self) -> None:
        self._timer = None
        self._tell(self._gestures.tick(time.monotonic()))

    def _tell(self, gestures: list[Gesture]) -> None:
        for gesture in gestures:
            self._on_gesture(gesture)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._gestures.due_s()
        if due_s is not None:
            wait_s = max(0.0, due_s - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)
