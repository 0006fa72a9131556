"""In: messages on `cmd/…`. Out: what was asked is done, and an answer that says so, or why not.

Every command is one model below; whatever it does not name is refused. No command takes a path or a shell's words.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import ApplianceError, UsageError
from appliance.telemetry.device import Hands
from appliance.telemetry.link import Incoming

log = logging.getLogger(__name__)

LARGEST_BYTES = 8192
"""Of a command: a text of 2,000 characters in UTF-8 and its wrapping."""
BURST_S = 4.0
"""So many seconds' worth of commands may come at once."""
AT_ONCE = 8
"""Commands under way; `say` lasts as long as it speaks."""
DEADLINE_S = 60.0
"""A command that is not done by then is given up."""

Answer = dict[str, Any]


class Command(BaseModel):
    """What every command may carry."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: ClassVar[str]

    request_id: str | None = Field(None, max_length=64, description="Comes back in the answer.")

    async def run(self, hands: Hands) -> Answer:
        """Does it. Raises ApplianceError with a sentence where that cannot be."""
        raise NotImplementedError


class Say(Command):
    """Speaks a text, after a chime where one is wanted, at a loudness of its own where one is given."""

    name: ClassVar[str] = "say"
    text: str = Field(min_length=1, max_length=2000, description="What is said.")
    chime: bool = Field(True, description="A short tone before.")
    volume_percent: int | None = Field(None, ge=0, le=100, description="For this text only.")

    async def run(self, hands: Hands) -> Answer:
        await hands.say(self.text, self.chime, self.volume_percent)
        return {}


class Listen(Command):
    """Opens a turn, as the button does."""

    name: ClassVar[str] = "listen"

    async def run(self, hands: Hands) -> Answer:
        await hands.listen()
        return {}


class Stop(Command):
    """Stops speaking, listening or ringing."""

    name: ClassVar[str] = "stop"

    async def run(self, hands: Hands) -> Answer:
        return {"stopped": await hands.stop()}


class Mute(Command):
    """Closes the microphone."""

    name: ClassVar[str] = "mute"
    muted: bool = Field(True, description="False opens it.")

    async def run(self, hands: Hands) -> Answer:
        await hands.mute(self.muted)
        return {"muted": self.muted}


class Unmute(Command):
    """Opens the microphone."""

    name: ClassVar[str] = "unmute"

    async def run(self, hands: Hands) -> Answer:
        await hands.mute(False)
        return {"muted": False}


class Volume(Command):
    """Loudness of the voice."""

    name: ClassVar[str] = "volume"
    percent: int = Field(ge=0, le=100)

    async def run(self, hands: Hands) -> Answer:
        await hands.set_volume(self.percent)
        return {"percent": self.percent}


class Brightness(Command):
    """Brightness of the LEDs."""

    name: ClassVar[str] = "led_brightness"
    percent: int = Field(ge=0, le=100)

    async def run(self, hands: Hands) -> Answer:
        await hands.set_brightness(self.percent)
        return {"percent": self.percent}


class TimerSet(Command):
    """Starts a timer."""

    name: ClassVar[str] = "timer_set"
    seconds: float = Field(gt=0, le=86400, allow_inf_nan=False)
    label: str | None = Field(None, min_length=1, max_length=60, description="Its name, as people say it.")

    async def run(self, hands: Hands) -> Answer:
        return {"timer": await hands.start_timer(self.seconds, self.label)}


class TimerCancel(Command):
    """Cancels one timer, or all."""

    name: ClassVar[str] = "timer_cancel"
    timer: str | None = Field(None, pattern=r"^t[0-9]{1,9}$", description="Its id; without one, all.")

    async def run(self, hands: Hands) -> Answer:
        return {"cancelled": await hands.cancel_timer(self.timer)}


class SelfTest(Command):
    """Checks itself without disturbing anybody."""

    name: ClassVar[str] = "self_test"

    async def run(self, hands: Hands) -> Answer:
        return {"checks": dict(await hands.self_test())}


class RestartEngine(Command):
    """Replaces a child process."""

    name: ClassVar[str] = "restart_engine"
    engine: Literal["sound", "stt", "tts"]

    async def run(self, hands: Hands) -> Answer:
        await hands.restart_engine(self.engine)
        return {"engine": self.engine}


class RefreshHome(Command):
    """Reads areas and names once more from the home server's topic."""

    name: ClassVar[str] = "refresh_home"

    async def run(self, hands: Hands) -> Answer:
        raise UsageError("no-broker", "Areas and names come over MQTT only.")  # Telemetry does this one itself


class LogLevel(Command):
    """Least severe level that is logged. DEBUG holds transcripts and is not to be had from afar."""

    name: ClassVar[str] = "log_level"
    level: Literal["INFO", "WARNING", "ERROR"]

    async def run(self, hands: Hands) -> Answer:
        await hands.set_log_level(self.level)
        return {"level": self.level}


COMMANDS: Mapping[str, type[Command]] = {
    command.name: command
    for command in (
        Say, Listen, Stop, Mute, Unmute, Volume, Brightness, TimerSet, TimerCancel, SelfTest, RestartEngine,
        RefreshHome, LogLevel,
    )
}  # fmt: skip


def schema() -> dict[str, Any]:
    """JSON schema of every command's payload, by name; the file schemas/commands.json is this."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Payload of each command, by the last part of its topic",
        "type": "object",
        "properties": {name: command.model_json_schema() for name, command in COMMANDS.items()},
    }


def parse(name: str, payload: bytes) -> Command:
    """The command in a message. Raises UsageError with one sentence for everything that is none."""
    model = COMMANDS.get(name)
    if model is None:
        raise UsageError("unknown-command", "There is no such command.")
    if len(payload) > LARGEST_BYTES:
        raise UsageError("too-large", f"A command has {LARGEST_BYTES} bytes at the most.")
    try:
        tree = json.loads(payload or b"{}")
        return model.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part)[:40] for part in first["loc"]) or "payload"
        raise UsageError("bad-value", f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError("no-json", "A command is a JSON object.") from error


class Bucket:
    """A token bucket: `per_second` on average, BURST_S of them at once."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * BURST_S)
        self._tokens = self._most
        self._at_s = time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now_s = time.monotonic()
        self._tokens = min(self._most, self._tokens + (now_s - self._at_s) * self._per_second)
        self._at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Commander:
    """Takes commands. `take` is called in the event loop and returns at once."""

    def __init__(
        self,
        hands: Hands,
        per_second: float,
        answer: Callable[[Incoming, Answer], None],
        refresh_home: Callable[[], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        """taken, done, refused, over_rate, retained."""
        self._hands = hands
        self._bucket = Bucket(per_second)
        self._complaints = Bucket(1 / BURST_S)
        self._answer = answer
        self._refresh_home = refresh_home
        self._running: set[asyncio.Task[None]] = set()

    def take(self, name: str, incoming: Incoming) -> None:
        """Starts the command, or refuses it. A retained one is rubbish: it would be done again at every connect."""
        if incoming.retain:
            self.counters["retained"] += 1
            return
        if not self._bucket.take() or len(self._running) >= AT_ONCE:
            self.counters["over_rate"] += 1
            if self._complaints.take():
                self._refuse(name, incoming, UsageError("too-many", "Too many commands: some were not done."))
            return
        self.counters["taken"] += 1
        try:
            command = parse(name, incoming.payload)
        except UsageError as error:
            self._refuse(name, incoming, error)
            return
        task = asyncio.get_running_loop().create_task(self._run(command, incoming), name=f"command {name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, command: Command, incoming: Incoming) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                result = await self._do(command)
        except TimeoutError:
            self._refuse(command.name, incoming, UsageError("deadline", "It took too long."), command.request_id)
        except ApplianceError as error:
            self._refuse(command.name, incoming, error, command.request_id)
        else:
            self.counters["done"] += 1
            log.info("command %s: done", command.name)
            body = {"command": command.name, "ok": True, "result": result, "error": None}
            self._answer(incoming, {**body, "request_id": command.request_id})

    async def _do(self, command: Command) -> Answer:
        if isinstance(command, RefreshHome):
            self._refresh_home()
            return {}
        work: Awaitable[Answer] = command.run(self._hands)
        return await work

    def _refuse(self, name: str, incoming: Incoming, error: ApplianceError, request_id: str | None = None) -> None:
        self.counters["refused"] += 1
        log.info("command %s: refused (%s)", name[:40], error.code)
        said = {"code": error.code, "message": error.message}
        body = {"command": name[:64], "ok": False, "result": None, "error": said, "request_id": request_id}
        self._answer(incoming, body)

    def close(self) -> None:
        """Gives up what is under way."""
        for task in self._running:
            task.cancel()
