"""Messages on the control socket between `appliance say/listen/status/…` and the running device.

request → (event* →) answer. One request a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from appliance.wire.message import Message


@dataclass(frozen=True, slots=True)
class Request(Message):
    """Something to do."""

    kind: ClassVar[str] = "request"
    command: str
    """say, listen, status, stop, mute, volume, panel, turn."""
    arguments: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Progress(Message):
    """Something that happened on the way."""

    kind: ClassVar[str] = "progress"
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer(Message):
    """The end of a request."""

    kind: ClassVar[str] = "answer"
    ok: bool
    data: dict[str, Any] | None = None
    error: str | None = None
    """One sentence where it could not be done."""
