"""Messages between the supervisor and the synthesiser. One connection a reply; closing it cancels.

synthesize → audio-start → audio-chunk* → audio-stop, as in Wyoming. `warm` may come on a connection of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from appliance.wire.message import Message


@dataclass(frozen=True, slots=True)
class Synthesize(Message):
    """Speak a text, sentence by sentence as it is made."""

    kind: ClassVar[str] = "synthesize"
    text: str


@dataclass(frozen=True, slots=True)
class SpeechStart(Message):
    """Audio follows (Wyoming's audio-start and one fact more)."""

    kind: ClassVar[str] = "audio-start"
    rate: int
    """Hertz."""
    width: int = 2
    channels: int = 1
    cached: bool = False
    """The first piece came out of the phrase cache."""


@dataclass(frozen=True, slots=True)
class Speech(Message):
    """A piece of speech, mono S16 little-endian. The first one starts with an audible sample."""

    kind: ClassVar[str] = "audio-chunk"
    rate: int
    width: int = 2
    channels: int = 1
    timestamp: int = 0
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class Warm(Message):
    """Texts to keep ready in the phrase cache; made one after another when nothing else is to do."""

    kind: ClassVar[str] = "warm"
    texts: tuple[str, ...] = ()
