"""In: a message class. Out: a Wyoming event, and back with every field's type checked.

A message is a frozen dataclass whose fields are the event's data; the field `audio` is its payload.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self, get_type_hints

from wyoming.event import Event

from appliance.errors import EngineError
from appliance.wire.fields import Check, check_of


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages."""

    kind: ClassVar[str]
    """The event's type on the wire."""

    def event(self) -> Event:
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "audio"}
        return Event(self.kind, {k: v for k, v in data.items() if v is not None}, getattr(self, "audio", None) or None)

    @classmethod
    def from_event(cls, event: Event) -> Self:
        """The message in `event`; unknown data is ignored. Raises EngineError if a field is missing or of a wrong type."""
        data: dict[str, Any] = event.data
        if "audio" in (checks := _checks(cls)):
            data = {**data, "audio": event.payload or b""}
        taken = {}
        for name, (check, needed) in checks.items():
            if name in data:
                try:
                    taken[name] = check(data[name])
                except TypeError as error:
                    raise EngineError("garbage", f"A message '{cls.kind}' has a wrong field '{name}'.") from error
            elif needed:
                raise EngineError("garbage", f"A message '{cls.kind}' has no field '{name}'.")
        return cls(**taken)

    @classmethod
    def matches(cls, event: Event) -> bool:
        """Whether `event` is of this kind."""
        return event.type == cls.kind


_CHECKS: dict[type, dict[str, tuple[Check, bool]]] = {}


def _checks(cls: type[Message]) -> dict[str, tuple[Check, bool]]:
    """Name of each field → its check, and whether it has to be there."""
    if cls not in _CHECKS:
        kinds = get_type_hints(cls)
        _CHECKS[cls] = {f.name: (check_of(kinds[f.name]), f.default is MISSING) for f in fields(cls)}
    return _CHECKS[cls]


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
