"""In: a message class. Out: a Wyoming event, and back with every field's type checked.

A message is a frozen dataclass whose fields are the event's data; the field `audio` is its payload.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter, ValidationError
from wyoming.event import Event

from appliance.errors import EngineError


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages."""

    kind: ClassVar[str]
    """The event's type on the wire."""

    def event(self) -> Event:
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "audio"}
        return Event(self.kind, {k: v for k, v in data.items() if v is not None}, getattr(self, "audio", None) or None)

    @classmethod
    def of(cls, event: Event) -> Self:
        """The message in `event`; unknown data is ignored. Raises EngineError if a field is missing or of a wrong type."""
        names = {f.name for f in fields(cls)}
        data: dict[str, Any] = {k: v for k, v in event.data.items() if k in names}
        if "audio" in names:
            data["audio"] = event.payload or b""
        try:
            message: Self = _adapter(cls).validate_python(data)
            return message
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise EngineError("garbage", f"A message '{cls.kind}' has a wrong field '{where}'.") from error

    @classmethod
    def here(cls, event: Event) -> bool:
        """Whether `event` is of this kind."""
        return event.type == cls.kind


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(cls: type) -> TypeAdapter[Any]:
    if cls not in _ADAPTERS:
        _ADAPTERS[cls] = TypeAdapter(cls)
    return _ADAPTERS[cls]


@dataclass(frozen=True, slots=True)
class Ping(Message):
    """Heartbeat. Answered in order, behind all that was sent before it, so that its lag is the engine's lag."""

    kind: ClassVar[str] = "ping"
    text: str = ""
    """Comes back in the pong."""


@dataclass(frozen=True, slots=True)
class Pong(Message):
    """Answer to a heartbeat, with the engine's counters."""

    kind: ClassVar[str] = "pong"
    text: str = ""
    counters: dict[str, float] | None = None
    """Name → value; what the engine counts of itself."""


@dataclass(frozen=True, slots=True)
class Describe(Message):
    """Asks an engine what it is."""

    kind: ClassVar[str] = "describe"


@dataclass(frozen=True, slots=True)
class Ready(Message):
    """Answer to `describe` of our own engines (extra fields of Wyoming's `info`)."""

    kind: ClassVar[str] = "info"
    engine: str = ""
    """Which engine runs: grammar, sherpa, pocketsphinx, vits, espeak, …"""
    model: str | None = None
    """Name in the catalogue."""
    sha256: dict[str, str] | None = None
    versions: dict[str, str] | None = None
    """Library → version."""
    notes: tuple[str, ...] = ()
    """What the engine refuses or lacks, and why; a sentence each."""


@dataclass(frozen=True, slots=True)
class Failure(Message):
    """The engine could not do what was asked; it lives on."""

    kind: ClassVar[str] = "error"
    text: str = ""
    """One sentence."""
    code: str = "failed"


@dataclass(frozen=True, slots=True)
class AudioStart(Message):
    """Audio follows."""

    kind: ClassVar[str] = "audio-start"
    rate: int
    """Hertz."""
    width: int = 2
    """Bytes a sample."""
    channels: int = 1
    timestamp: int = 0
    """Milliseconds on the sender's audio time line."""


@dataclass(frozen=True, slots=True)
class AudioStop(Message):
    """No more audio follows."""

    kind: ClassVar[str] = "audio-stop"
    timestamp: int = 0
