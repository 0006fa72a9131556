"""In: the button's gestures. Out: light under the finger, `ButtonPressed` on the bus, and what the finger wants done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.errors import DeviceError
from appliance.events import Bus, ButtonPressed
from appliance.panel.button_target import ButtonTarget
from appliance.panel.gestures import TOLD, Gesture, Limits
from appliance.panel.story import Story

log = logging.getLogger(__name__)

FLASH_S = 0.15
"""How long a press is acknowledged where holding talks."""


class GestureHandler:
    """What a finger does. In the event loop; nothing blocks."""

    def __init__(
        self,
        hold_to_talk: bool,
        limits: Limits,
        bus: Bus,
        story: Story,
        target: ButtonTarget | None,
        draw: Callable[[], None],
    ) -> None:
        """`draw` is called whenever the finger changed the story; `hands`: as for the panel."""
        self._hold_to_talk = hold_to_talk
        self._limits = limits
        self._bus = bus
        self._story = story
        self._hands = target
        self._draw = draw
        self._hushed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.gestures: deque[Gesture] = deque(maxlen=16)
        self.trouble: str | None = None
        """One sentence where the button is broken, or its last wish could not be done."""
        self.on_gesture: Callable[[Gesture], None] | None = None
        """Takes the gestures while it is set (`appliance panel test`): they do nothing else then."""

    def felt(self, gesture: Gesture) -> None:
        """A gesture of the button."""
        now_s = time.monotonic()
        self.gestures.append(gesture)
        if gesture in TOLD and self.on_gesture is None:
            log.info("button %s", gesture)
            self._bus.publish(ButtonPressed(gesture=gesture.value))
        self._light(gesture, now_s)
        if self.on_gesture is not None:
            self.on_gesture(gesture)
        elif self._hands is not None:
            self._act(gesture, self._hands)
        self._draw()

    def close(self) -> None:
        """Ends what the hands still do."""
        for task in self._tasks:
            task.cancel()

    def _light(self, gesture: Gesture, now_s: float) -> None:
        """What is seen of a gesture, and what is wrong with the button."""
        match gesture:
            case Gesture.DOWN:
                self.trouble = None
                until_s = now_s + FLASH_S if self._hold_to_talk else None
                self._story.finger(now_s, self._limits.long_s, until_s=until_s)
            case Gesture.UP | Gesture.LONG:
                self._story.finger_off(now_s)
            case Gesture.COUNTDOWN:
                self._story.finger(now_s, self._limits.reset_s, draining=True)
            case Gesture.STUCK:
                self._story.finger_off(now_s)
                self._wrong(f"The button is stuck: it has been down for {self._limits.stuck_s:.0f} s.")
            case Gesture.BOUNCING:
                self._wrong("The button's contact is broken: it bounces without end.")
            case _:
                pass

    def _act(self, gesture: Gesture, target: ButtonTarget) -> None:
        """What the finger wants. Sound stops under the finger; everything else waits for the gesture to be known."""
        talk = self._hold_to_talk
        match gesture:
            case Gesture.DOWN:
                self._hushed = target.hush() or (talk and target.talk())
            case Gesture.UP if talk:
                target.talked(ended=False)
            case Gesture.SINGLE if not self._hushed:
                target.press()
            case Gesture.RELEASE:
                target.talked(ended=True)
            case Gesture.LONG:
                self._later(target.mute())
            case Gesture.RESET:
                self._later(target.reset())
            case _:
                pass

    def _wrong(self, sentence: str) -> None:
        log.warning("button: %s", sentence)
        self.trouble = sentence

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DeviceError as error:
            self._wrong(error.message)
