"""In: a message on `cmd/…`. Out: the command in it, checked, or the sentence that says why it is none.

Every command is one model below; whatever it does not name is refused. No command takes a path or a shell's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import UsageError
from appliance.files import Damaged, parse_json
from appliance.telemetry.device import CommandTarget

LARGEST_BYTES = 8192
"""Of a command: a text of 2,000 characters in UTF-8 and its wrapping."""

Answer = dict[str, Any]


class Command(BaseModel):
    """What every command may carry."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: ClassVar[str]

    request_id: str | None = Field(None, max_length=64, description="Comes back in the answer.")

    async def run(self, target: CommandTarget) -> Answer:
        """Does it. Raises ApplianceError with a sentence where that cannot be."""
        raise NotImplementedError


class Say(Command):
    """Speaks a text, after a chime where one is wanted, at a loudness of its own where one is given."""

    name: ClassVar[str] = "say"
    text: str = Field(min_length=1, max_length=2000, description="What is said.")
    chime: bool = Field(True, description="A short tone before.")
    volume_percent: int | None = Field(None, ge=0, le=100, description="For this text only.")

    async def run(self, target: CommandTarget) -> Answer:
        await target.say(self.text, self.chime, self.volume_percent)
        return {}


class Listen(Command):
    """Opens a turn, as the button does."""

    name: ClassVar[str] = "listen"

    async def run(self, target: CommandTarget) -> Answer:
        await target.listen()
        return {}


class Stop(Command):
    """Stops speaking, listening or ringing."""

    name: ClassVar[str] = "stop"

    async def run(self, target: CommandTarget) -> Answer:
        return {"stopped": await target.stop()}


class Mute(Command):
    """Closes the microphone."""

    name: ClassVar[str] = "mute"
    muted: bool = Field(True, description="False opens it.")

    async def run(self, target: CommandTarget) -> Answer:
        await target.mute(self.muted)
        return {"muted": self.muted}


class Unmute(Command):
    """Opens the microphone."""

    name: ClassVar[str] = "unmute"

    async def run(self, target: CommandTarget) -> Answer:
        await target.mute(False)
        return {"muted": False}


class Volume(Command):
    """Loudness of the voice."""

    name: ClassVar[str] = "volume"
    percent: int = Field(ge=0, le=100)

    async def run(self, target: CommandTarget) -> Answer:
        await target.set_volume(self.percent)
        return {"percent": self.percent}


class Brightness(Command):
    """Brightness of the LEDs."""

    name: ClassVar[str] = "led_brightness"
    percent: int = Field(ge=0, le=100)

    async def run(self, target: CommandTarget) -> Answer:
        await target.set_brightness(self.percent)
        return {"percent": self.percent}


class TimerSet(Command):
    """Starts a timer."""

    name: ClassVar[str] = "timer_set"
    seconds: float = Field(gt=0, le=86400, allow_inf_nan=False)
    label: str | None = Field(None, min_length=1, max_length=60, description="Its name, as people say it.")

    async def run(self, target: CommandTarget) -> Answer:
        return {"timer": await target.start_timer(self.seconds, self.label)}


class TimerCancel(Command):
    """Cancels one timer, or all."""

    name: ClassVar[str] = "timer_cancel"
    timer: str | None = Field(None, pattern=r"^t[0-9]{1,9}$", description="Its id; without one, all.")

    async def run(self, target: CommandTarget) -> Answer:
        return {"cancelled": await target.cancel_timer(self.timer)}


class SelfTest(Command):
    """Checks itself without disturbing anybody."""

    name: ClassVar[str] = "self_test"

    async def run(self, target: CommandTarget) -> Answer:
        return {"checks": dict(await target.self_test())}


class RestartEngine(Command):
    """Replaces a child process."""

    name: ClassVar[str] = "restart_engine"
    engine: Literal["sound", "stt", "tts"]

    async def run(self, target: CommandTarget) -> Answer:
        await target.restart_engine(self.engine)
        return {"engine": self.engine}


class RefreshHome(Command):
    """Reads areas and names once more from the home server's topic."""

    name: ClassVar[str] = "refresh_home"

    async def run(self, target: CommandTarget) -> Answer:
        raise UsageError("no-broker", "Areas and names come over MQTT only.")  # Telemetry does this one itself


class LogLevel(Command):
    """Least severe level that is logged. DEBUG holds transcripts and is not to be had from afar."""

    name: ClassVar[str] = "log_level"
    level: Literal["INFO", "WARNING", "ERROR"]

    async def run(self, target: CommandTarget) -> Answer:
        await target.set_log_level(self.level)
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
        return model.model_validate(parse_json(payload or b"{}"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part)[:40] for part in first["loc"]) or "payload"
        raise UsageError("bad-value", f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}.") from error
    except Damaged as error:
        raise UsageError("no-json", f"A command is a JSON object: {error}.") from error


def request_id(payload: bytes) -> str | None:
    """The id in a payload that is no command, so that whoever asked knows which one was refused; None without one."""
    if len(payload) > LARGEST_BYTES:
        return None
    try:
        tree = parse_json(payload or b"{}")
    except Damaged:
        return None
    found = tree.get("request_id") if isinstance(tree, dict) else None
    return found if isinstance(found, str) and len(found) <= 64 else None
