"""In: what happens on the device. Out: the same, to everyone who watches (panel, telemetry, log), never holding a turn up.

Message order of a turn: WakeDetected or ButtonPressed → TurnStarted → StateChanged(LISTENING) → PartialHeard* →
SpeechEnded → StateChanged(THINKING) → IntentRecognised → ActionDone → StateChanged(REPLYING) → ReplyStarted →
TurnEnded → StateChanged(IDLE).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MEASURES_MS = ("wake", "endpoint", "stt", "intent", "action", "tts_first", "play", "response")
"""Keys of a turn's `ms` table, in the order of the turn."""


class State(StrEnum):
    """What the device shows. Listed from the most to the least urgent: the first that holds is shown."""

    UPDATING = "updating"
    STARTING = "starting"
    BUTTON = "button"
    VOLUME = "volume"
    TIMER_RINGING = "timer_ringing"
    LISTENING = "listening"
    THINKING = "thinking"
    REPLYING = "replying"
    ERROR = "error"
    NOT_READY = "not_ready"
    TIMER_RUNNING = "timer_running"
    MUTED = "muted"
    IDLE = "idle"


class Outcome(StrEnum):
    """How a turn ended; every turn ends in exactly one of these."""

    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    NO_HOME_SERVER = "no_home_server"
    NOT_UNDERSTOOD = "not_understood"
    REFUSED = "refused"
    """Understood, and not done on purpose: the sentence took its command back, or tied it to something else."""
    NO_SPEECH = "no_speech"
    NO_WAKE = "no_wake"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Hearing(StrEnum):
    """Whether audio really arrives. Muted is a wish, deaf a fault."""

    HEARING = "hearing"
    MUTED = "muted"
    DEAF = "deaf"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """Something that happened. `at_s` is monotonic time in seconds, `wall_s` Unix time in seconds."""

    at_s: float = field(default_factory=time.monotonic)
    wall_s: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(DeviceEvent):
    """A state began or ended. Several may hold at once; the panel's arbiter picks the most urgent."""

    state: State
    on: bool = True
    value: float | None = None
    """Progress, volume or remaining share, 0..1, where the state has one."""
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeDetected(DeviceEvent):
    """The wake word was heard."""

    wake_word: str
    score: float
    """0..1, as the engine gives it."""
    level_dbfs: float | None = None
    direction_deg: float | None = None
    """0..360, clockwise from the board's mark; None where the board cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss(DeviceEvent):
    """Something came close to a wake word and was not taken for it."""

    wake_word: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(DeviceEvent):
    """A turn was opened by the wake word, the button, a follow-up or a command."""

    turn: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMeasured(DeviceEvent):
    """Loudness of the microphone while listening."""

    level_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialHeard(DeviceEvent):
    """What the recogniser makes of the speech so far."""

    turn: str
    text: str
    audio_ms: int
    """Position on the audio's own time line."""
    confidence: float | None = None
    complete: bool = False
    extendable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnded(DeviceEvent):
    """The end-of-speech policy decided."""

    turn: str
    audio_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecognised(DeviceEvent):
    """Text became an intent, or was refused (`intent` is None)."""

    turn: str
    intent: str | None
    slots: dict[str, Any]
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone(DeviceEvent):
    """A skill was carried out, or handed to the home server."""

    turn: str
    intent: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyStarted(DeviceEvent):
    """The first audible sample of the reply reached the card."""

    turn: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A stage's bar on the waterfall of a turn, in ms since the turn's first sample."""

    stage: str
    start_ms: float
    end_ms: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """Everything known of one turn. `transcript` and `reply` never leave the device unless the owner says so."""

    turn: str
    outcome: Outcome
    cause: str
    wake_word: str | None = None
    wake_score: float | None = None
    transcript: str | None = None
    intent: str | None = None
    slots: dict[str, Any] = field(default_factory=dict)
    confidence: float | None = None
    reply: str | None = None
    error: str | None = None
    ms: dict[str, float | None] = field(default_factory=dict)
    """Keys of MEASURES_MS; None where a stage did not run."""
    stamps: dict[str, int] = field(default_factory=dict)
    """CLOCK_MONOTONIC in ns of: origin (first sample), speech_end, decision, text, intent, reply, speech, first."""
    noise_dbfs: float | None = None
    engine_restarts: int = 0
    prepared: str | None = None
    """Preparing ahead: 'hit', 'waste' or None."""
    wasted: int = 0
    """Replies prepared ahead and not used, in a turn that used another one too."""
    cached: bool | None = None
    """Whether the first sentence of the reply came out of the phrase cache."""
    marks: tuple[Mark, ...] = ()
    partials: tuple[tuple[float, str], ...] = ()
    """(ms since the turn's first sample, text)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded(DeviceEvent):
    """A turn is over and the device is idle again."""

    record: TurnRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed(DeviceEvent):
    """A gesture on the button: single, double, triple, long, hold, release."""

    gesture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteChanged(DeviceEvent):
    """The microphone was muted or opened by button, voice or MQTT."""

    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChanged(DeviceEvent):
    """Loudness of the voice, 0..100 percent."""

    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerChanged(DeviceEvent):
    """A timer was started, changed, paused, cancelled, rang or was silenced."""

    timer: str
    change: str
    name: str | None
    remaining_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChanged(DeviceEvent):
    """A child process became ready, died, hung, restarts, or its circuit breaker opened."""

    engine: str
    change: str
    reason: str | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFailed(DeviceEvent):
    """A contained part (panel, telemetry, health, control, timers) ended with an error and is started again."""

    part: str
    error: str
    """Kind and place, without any message."""
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingChanged(DeviceEvent):
    """The ear became deaf, muted or hears again."""

    hearing: Hearing
    reason: str | None = None


class Subscription:
    """One watcher's queue: bounded, oldest dropped first, drops counted."""

    def __init__(self, size: int) -> None:
        self._queue: deque[DeviceEvent] = deque(maxlen=size)
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, event: DeviceEvent) -> None:
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(event)
        self._ready.set()

    def waiting(self) -> Iterator[DeviceEvent]:
        """What nobody has taken yet, taken now; for a watcher's last look."""
        while self._queue:
            yield self._queue.popleft()

    async def __aiter__(self) -> AsyncIterator[DeviceEvent]:
        while True:
            while self._queue:
                yield self._queue.popleft()
            self._ready.clear()
            await self._ready.wait()


class Bus:
    """Hands every happening to every watcher at once; publishing never blocks and never fails.

    For the event loop's thread only. Drivers with threads of their own come in by `call_soon_threadsafe`.
    """

    def __init__(self) -> None:
        self._watches: dict[str, Subscription] = {}

    def subscribe(self, name: str, size: int = 256) -> Subscription:
        """A new queue of `size` happenings for the watcher `name` (its drops are reported under that name)."""
        watch = self._watches[name] = Subscription(size)
        return watch

    def unsubscribe(self, name: str) -> None:
        """Forgets the watcher `name`; nothing happens where there is none."""
        self._watches.pop(name, None)

    def publish(self, event: DeviceEvent) -> None:
        for watch in self._watches.values():
            watch.put(event)

    def dropped(self) -> dict[str, int]:
        """Happenings dropped so far, by watcher."""
        return {name: watch.dropped for name, watch in self._watches.items()}
