"""Messages between the supervisor and the recogniser. One connection an utterance; closing it cancels.

transcribe → audio-start → audio-chunk* (partial* and flush in between) → audio-stop → transcript.
A superset of Wyoming's asr events: a foreign recogniser ignores `flush` and sends no `partial`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from appliance.wire.message import Message


@dataclass(frozen=True, slots=True)
class Transcribe(Message):
    """An utterance begins."""

    kind: ClassVar[str] = "transcribe"
    language: str | None = None
    grammar: str | None = None
    """Path of the grammar's source file, named by its hash; None: free text only."""
    terms: tuple[str, ...] = ()
    """Hotwords for free recognition: names and phrases of this home."""
    context: dict[str, Any] | None = None
    """What was just said, for follow-ups: {'intent': …, 'question': …, 'choices': [...]}."""


@dataclass(frozen=True, slots=True)
class Chunk(Message):
    """Audio of the utterance, S16 little-endian; `timestamp` in ms since the utterance's first sample."""

    kind: ClassVar[str] = "audio-chunk"
    timestamp: int = 0
    rate: int = 16000
    width: int = 2
    channels: int = 1
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class Flush(Message):
    """Silence began: say what was heard up to here without waiting for a whole model chunk. Speech may go on."""

    kind: ClassVar[str] = "flush"


@dataclass(frozen=True, slots=True)
class Partial(Message):
    """What the speech so far seems to be. From the recogniser, after each decoded piece and for each `flush`."""

    kind: ClassVar[str] = "partial"
    text: str
    """Best reading; with a grammar the best sentence or beginning of one that the grammar allows."""
    audio_ms: int
    """How much of the utterance is in it, ms since its first sample."""
    free_text: str = ""
    """Best reading without the grammar."""
    confidence: float | None = None
    """0..1, calibrated: how likely `text` is what was said; None where the engine cannot tell."""
    complete: bool = False
    """`text` is a whole sentence of the grammar."""
    extendable: bool = True
    """The grammar allows more words after `text`."""
    slots_ahead: int = 2
    """Slots that those could still fill, counted up to 2; 2 where the engine cannot tell."""
    more_expected: bool = False
    """The beginning of a longer sentence fits the sound clearly better than `text`."""
    flushed: bool = False
    """Answers a `flush`: all audio sent before it is in it."""
    alternatives: tuple[tuple[str, float], ...] = ()
    """Of an answer to `flush`: other whole sentences, best first, each with its confidence."""


@dataclass(frozen=True, slots=True)
class Transcript(Message):
    """The final text."""

    kind: ClassVar[str] = "transcript"
    text: str
    """Empty where nothing was recognised."""
    free_text: str = ""
    confidence: float | None = None
    """0..1 that `text` is a command and the right one; None where the engine cannot tell."""
    complete: bool = False
    """`text` is a whole sentence of the grammar."""
    alternatives: tuple[tuple[str, float], ...] = ()
    """Other whole sentences, best first, each with its confidence."""
    language: str | None = None
