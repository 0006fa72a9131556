"""In: nothing. Out: what skills may see and do of the device and of the home server; the app provides both."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from appliance.actions.agenda import Agenda
from appliance.actions.timers import Timers
from appliance.intents.interpretation import Interpretation
from appliance.intents.replies import Replies

if TYPE_CHECKING:
    from appliance.actions.lists import Lists
    from appliance.actions.stopwatch import Stopwatch


class Device(Protocol):
    """The device, as skills see it. Nothing here blocks."""

    def now(self) -> datetime:
        """Local wall-clock time, for people."""

    def volume(self) -> int:
        """Loudness of the voice, 0..100 percent."""

    async def set_volume(self, percent: int) -> None:
        """Sets the loudness, 0..100 percent."""

    async def mute(self) -> None:
        """Closes the microphone until the button opens it."""

    def last_reply(self) -> str | None:
        """What was said last; None before the first reply."""

    def response_ms(self) -> float | None:
        """Answering time of the last turn, ms; None where there was none."""


class HomeHandler(Protocol):
    """The home server, as one skill sees it."""

    def handle(self, interpretation: Interpretation) -> Awaitable[str]:
        """Has the command done and gives the reply. Raises ActionError with a sentence where that fails."""


@dataclass(frozen=True, slots=True)
class SkillContext:
    """Everything a skill works with."""

    device: Device
    timers: Timers
    agenda: Agenda
    lists: Lists
    stopwatch: Stopwatch
    replies: Replies
    home: HomeHandler | None = None
    """None: no home server is connected."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What the owner has said to intents of his own: intent → text with {slot}."""
