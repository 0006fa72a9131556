"""In: happenings on the bus, and the finger. Out: the scene that is to be drawn. Pure: every time is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.events import (
    DeviceEvent,
    EngineChanged,
    Hearing,
    HearingChanged,
    LevelMeasured,
    PartialHeard,
    State,
    StateChanged,
    TimerChanged,
    TurnStarted,
    VolumeChanged,
    WakeDetected,
)
from appliance.panel.arbiter import Arbiter, Held
from appliance.panel.scene import DECAY_S, Scene

WAKE_S = 1.0
"""A wake word lights the panel at once; the turn that follows takes over within this time."""
VOLUME_S = 2.0
GRACE_S = 1.5
"""An engine that is replaced within this time is not worth a light."""
QUIET_DBFS, LOUD_DBFS = -60.0, -15.0
"""Ends of the level meter."""
COUNTS = frozenset({"started", "changed", "resumed", "restored"})
"""Changes of a timer after which it runs."""


@dataclass(slots=True)
class _Finger:
    """What the button shows: how far towards muting, or what is left of the countdown to a reset."""

    since_s: float
    length_s: float
    draining: bool


class Story:
    """What the panel knows. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._arbiter = Arbiter()
        self._direction_deg: float | None = None
        self._level, self._level_s = 0.0, 0.0
        self._heard_s: float | None = None
        self._timers: dict[str, tuple[float, float]] = {}
        self._broken: dict[str, float] = {}
        self._deaf_s: float | None = None
        self._finger: _Finger | None = None
        self._preview: Held | None = None

    # -- what happens ---------------------------------------------------------------------------------------------

    def take(self, event: DeviceEvent) -> bool:
        """Notes a happening; whether what is shown may have changed at once."""
        at_s = event.at_s
        match event:
            case LevelMeasured():
                self._meter(event.level_dbfs, at_s)
                return False
            case PartialHeard():
                if event.text and self._heard_s is None:
                    self._heard_s = at_s
                return False
            case WakeDetected():
                self._begin_listening()
                self._direction_deg = event.direction_deg
                self._arbiter.hold(State.LISTENING, at_s, until_s=at_s + WAKE_S)
            case TurnStarted():
                if event.cause != "wake":
                    self._begin_listening()
            case StateChanged():
                self._state(event)
            case VolumeChanged():
                self._arbiter.hold(State.VOLUME, at_s, event.percent / 100, until_s=at_s + VOLUME_S)
            case TimerChanged():
                self._timer(event)
            case HearingChanged():
                if event.hearing is not Hearing.DEAF:
                    self._deaf_s = None
                elif self._deaf_s is None:
                    self._deaf_s = at_s
            case EngineChanged():
                self._engine(event)
            case _:
                return False
        return True

    def finger(self, now_s: float, length_s: float, draining: bool = False, until_s: float | None = None) -> None:
        """The button is down since `now_s`: red fills within `length_s`; or (`draining`) a countdown of that length."""
        self._finger = _Finger(now_s, length_s, draining)
        self._arbiter.hold(State.BUTTON, now_s, 0.0, "reset" if draining else None, until_s)

    def finger_off(self, now_s: float) -> None:
        """The button is up, or has done what it does."""
        self._finger = None
        self._arbiter.release(State.BUTTON, now_s)

    def preview(self, state: State, now_s: float, seconds: float, value: float | None = None) -> None:
        """Shows `state` for `seconds`, whatever holds."""
        self._preview = Held(state, now_s, value, until_s=now_s + seconds)

    # -- what is shown --------------------------------------------------------------------------------------------

    def scene(self, now_s: float) -> tuple[Scene, float]:
        """What is to be drawn, and the seconds since that state began."""
        if self._preview is not None and (self._preview.until_s or 0.0) <= now_s:
            self._preview = None
        self._ready(now_s)
        held = self._preview or self._arbiter.top(now_s)
        scene = Scene(held.state, held.value, held.reason)
        if held.state is State.LISTENING:
            heard_s = None if self._heard_s is None else max(0.0, now_s - self._heard_s)
            scene = replace(scene, direction_deg=self._direction_deg, level=self._fallen(now_s), heard_s=heard_s)
        elif held.state is State.BUTTON and self._finger is not None:
            gone = min(1.0, (now_s - self._finger.since_s) / self._finger.length_s)
            scene = replace(scene, value=1.0 - gone if self._finger.draining else gone)
        elif held.state is State.TIMER_RUNNING and self._timers:
            due_s, total_s = min(self._timers.values())
            scene = replace(scene, value=max(0.0, due_s - now_s) / total_s if total_s > 0 else 0.0)
        return scene, max(0.0, now_s - held.since_s)

    def next_s(self, now_s: float) -> float | None:
        """When what is shown changes by itself, patterns aside."""
        preview_s = self._preview.until_s if self._preview is not None else None
        troubles = [*self._broken.values(), *([] if self._deaf_s is None else [self._deaf_s])]
        grace = [since_s + GRACE_S for since_s in troubles if since_s + GRACE_S > now_s]
        return min((s for s in (preview_s, self._arbiter.next_s(), *grace) if s is not None), default=None)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _begin_listening(self) -> None:
        self._direction_deg, self._heard_s, self._level = None, None, 0.0

    def _state(self, change: StateChanged) -> None:
        if change.on:
            self._arbiter.hold(change.state, change.at_s, change.value, change.reason)
        else:
            self._arbiter.release(change.state, change.at_s)

    def _timer(self, change: TimerChanged) -> None:
        if change.change in COUNTS:
            self._timers[change.timer] = (change.at_s + change.remaining_s, change.total_s)
        else:
            self._timers.pop(change.timer, None)

    def _engine(self, change: EngineChanged) -> None:
        if change.change == "ready":
            self._broken.pop(change.engine, None)
        else:
            self._broken.setdefault(change.engine, change.at_s)

    def _ready(self, now_s: float) -> None:
        """NOT_READY holds while an engine is away, or the ear deaf, for longer than a replacement takes."""
        broken = any(now_s - since_s >= GRACE_S for since_s in self._broken.values())
        deaf = self._deaf_s is not None and now_s - self._deaf_s >= GRACE_S
        if broken or deaf:
            self._arbiter.hold(State.NOT_READY, now_s, reason=None if broken else "deaf")
        else:
            self._arbiter.release(State.NOT_READY, now_s)

    def _meter(self, level_dbfs: float, at_s: float) -> None:
        level = min(1.0, max(0.0, (level_dbfs - QUIET_DBFS) / (LOUD_DBFS - QUIET_DBFS)))
        self._level, self._level_s = max(level, self._fallen(at_s)), at_s

    def _fallen(self, now_s: float) -> float:
        return max(0.0, self._level - max(0.0, now_s - self._level_s) / DECAY_S)
