"""In: a wish about the stopwatch. Out: the time on it, or that it runs. It forgets with a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation


@dataclass(slots=True)
class Stopwatch:
    """One stopwatch; counts on the monotonic clock."""

    clock: Callable[[], float] = time.monotonic
    _before_s: float = 0.0
    _since_s: float | None = None

    @property
    def running(self) -> bool:
        return self._since_s is not None

    @property
    def seconds(self) -> float:
        """What it shows."""
        return self._before_s + (self.clock() - self._since_s if self._since_s is not None else 0.0)

    def start(self, *, anew: bool) -> None:
        """Runs, from zero with `anew`, else on from what it shows."""
        self._before_s = 0.0 if anew else self.seconds
        self._since_s = self.clock()

    def stop(self) -> None:
        self._before_s, self._since_s = self.seconds, None

    def reset(self) -> None:
        self._before_s, self._since_s = 0.0, None


def use(meaning: Interpretation, context: SkillContext) -> Plan:
    """Starts, stops, resumes, resets or reads it."""
    watch, say = context.stopwatch, context.replies.say
    do = str(meaning.slots.get("do", "tell"))
    shown = context.replies.exactly(watch.seconds)
    if do == "start" and not watch.running:
        return _does(say("stopwatch_started"), lambda: watch.start(anew=True))
    if do == "resume" and not watch.running:
        return _does(say("stopwatch_started"), lambda: watch.start(anew=False))
    if do in ("stop", "pause") and watch.running:
        return _does(say("stopwatch_stopped", duration=shown), watch.stop)
    if do == "reset":
        return _does(say("stopwatch_reset"), watch.reset)
    if not watch.running and watch.seconds == 0:
        return Plan(say("stopwatch_none"))
    return Plan(say("stopwatch_running" if watch.running else "stopwatch_stopped", duration=shown))


def _does(reply: str, do: Callable[[], None]) -> Plan:
    async def act() -> Plan | None:
        do()
        return None

    return Plan(reply, act=act)
