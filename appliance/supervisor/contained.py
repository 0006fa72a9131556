"""In: the lives of the parts that the conversation can do without. Out: they run; an error in one ends nothing but itself.

The conversation and the engines are vital: their errors end the program, and systemd starts it again. Everything else
(panel, telemetry, health endpoint, control socket, timers, warming and grammar) is kept by `Contained`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.backoff import full_jitter_s
from appliance.errors import SettingsError
from appliance.events import Bus, PartFailed

log = logging.getLogger(__name__)

FIRST_S = 0.5
MOST_S = 60.0
PROVEN_S = 60.0
"""A part that ran this long makes the next wait short again."""


@dataclass(slots=True)
class Part:
    """How a part fares."""

    running: bool = False
    failures: int = 0
    """Since the start of the program."""
    trouble: str | None = None
    """Kind and place of the newest error; None while it never failed."""


class Contained:
    """Keeps parts running. One for the program; `keep` is the life of one part."""

    def __init__(self, bus: Bus, rng: random.Random | None = None) -> None:
        self.parts: dict[str, Part] = {}
        self._bus = bus
        self._rng = rng
        self._told: set[tuple[str, str]] = set()

    async def keep(self, name: str, life: Callable[[], Awaitable[None]], once: bool = False) -> None:
        """Runs `life` until cancelled, again after a full-jitter wait where it fails; `once`: until it ends by itself.

        Raises SettingsError alone: a wrong setting is said at the start, with an exit code, and not tried again.
        """
        part = self.parts[name] = Part()
        in_a_row = 0
        while True:
            begun_s = time.monotonic()
            part.running = True
            try:
                await life()
                if once:
                    return
                self._failed(name, part, "ended by itself")
            except SettingsError:
                raise
            except Exception as error:  # noqa: BLE001 - told with its place by _failed
                self._failed(name, part, place_of(error), error)
            finally:
                part.running = False
            in_a_row = 0 if time.monotonic() - begun_s > PROVEN_S else in_a_row
            await asyncio.sleep(full_jitter_s(in_a_row, FIRST_S, MOST_S, self._rng))
            in_a_row += 1

    def table(self) -> Mapping[str, Mapping[str, Any]]:
        """For status and the health endpoint: part → running, failures, trouble."""
        return {
            name: {"running": part.running, "failures": part.failures, "trouble": part.trouble}
            for name, part in self.parts.items()
        }

    def _failed(self, name: str, part: Part, what: str, error: Exception | None = None) -> None:
        part.failures += 1
        part.trouble = what
        known = (name, what) in self._told
        self._told.add((name, what))
        if not known:
            log.error("%s: %s; it is started again", name, what, exc_info=error)
        self._bus.publish(PartFailed(part=name, error=what, failures=part.failures))


def place_of(error: BaseException) -> str:
    """Kind of the error and the innermost line of ours, "ValueError at telemetry.py:12"; no message: it may be private."""
    frames = traceback.extract_tb(error.__traceback__)
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
        frames = traceback.extract_tb(error.__traceback__) or frames
    if not frames:
        return type(error).__name__
    ours = [frame for frame in frames if "appliance" in Path(frame.filename).parts] or list(frames)
    return f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
