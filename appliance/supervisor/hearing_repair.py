"""In: whether the ear hears, once a second. Out: one restart of a sound engine that stays deaf, and no second one.

A microphone that is not there does not come by restarting: after the one try the device stays degraded, which is shown and
reported, and everything but listening goes on. Muted is not deaf.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

from appliance.errors import EngineError
from appliance.events import Hearing

log = logging.getLogger(__name__)

LOOK_S = 1.0
DEAF_S = 10.0
"""An engine that is ready and deaf for so long is replaced: a card that was unplugged for a moment is back by then."""
PROVEN_S = 60.0
"""Who heard for so long earns another try."""


class Ear(Protocol):
    """What is judged: the client of the sound engine."""

    hearing: Hearing
    deaf_reason: str | None


class Replaceable(Protocol):
    """The engine's child."""

    @property
    def ready(self) -> bool: ...

    def suspect(self, error: EngineError) -> None:
        """Has it replaced at once."""


class HearingRepair:
    """The one bounded restart. `run` is a contained part's life."""

    def __init__(self, ear: Ear, child: Replaceable) -> None:
        self.restarts = 0
        """Since the start of the program."""
        self._ear = ear
        self._child = child
        self._since_s: float | None = None
        self._state: tuple[bool, bool] | None = None
        self._tried = False

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            self.look(time.monotonic())
            await asyncio.sleep(LOOK_S)

    def look(self, now_s: float) -> None:
        """Judges at `now_s` (monotonic)."""
        state = (self._child.ready, self._ear.hearing is Hearing.DEAF)
        if state != self._state or self._since_s is None:
            self._state, self._since_s = state, now_s
        lasted_s = now_s - self._since_s
        match state:
            case (True, True) if not self._tried and lasted_s >= DEAF_S:
                self._tried = True
                self.restarts += 1
                reason = self._ear.deaf_reason or "It hears nothing."
                log.warning("sound: deaf for %.0f s (%s): it is replaced, once.", lasted_s, reason)
                self._child.suspect(EngineError("deaf", reason, "listen"))
            case (_, False) if lasted_s >= PROVEN_S:
                self._tried = False

    def table(self) -> dict[str, object]:
        """For the health endpoint."""
        return {"restarts": self.restarts, "exhausted": self._tried and self._ear.hearing is Hearing.DEAF}
