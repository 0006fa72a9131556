"""In: settings. Out: what skills need where no device runs: its lists, timers and alarms as files hold them, read only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from appliance.actions.agenda import Agenda
from appliance.actions.clock import local_now
from appliance.actions.device import SkillContext
from appliance.actions.lists import Lists
from appliance.actions.stopwatch import Stopwatch
from appliance.actions.timers import Timers
from appliance.conversation.levels import Levels
from appliance.intents.replies import Replies
from appliance.settings import Settings


def context_alone(settings: Settings, replies: Replies, answers: Mapping[str, str]) -> SkillContext:
    """Plans can be made with it; what they would do must not be done. `answers` are the owner's, of the grammar."""
    state = settings.device.state_dir
    timers = Timers(state / "timers.json", lambda timer: None, lambda event: None)
    agenda = Agenda(state / "agenda.json", lambda entry: None, lambda entry, why: None)
    lists = Lists(state / "lists.json")
    timers.load()
    agenda.load()
    lists.load()
    levels = Levels(state / "levels.json", settings.sound.volume_percent)
    return SkillContext(_Silent(levels), timers, agenda, lists, Stopwatch(), replies, answers=answers)


class _Silent:
    """A device that is not there."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def now(self) -> datetime:
        return local_now()

    def volume(self) -> int:
        return self._levels.percent("reply")

    async def set_volume(self, percent: int) -> None:
        raise NotImplementedError("nothing is done without a device")

    async def mute(self) -> None:
        raise NotImplementedError("nothing is done without a device")

    def last_reply(self) -> str | None:
        return None

    def response_ms(self) -> float | None:
        return None
