"""Messages between the supervisor and the sound engine, in the order of a turn.

detection → listen → audio-chunk* → listen-stop → play-start → play-audio* → play-stop → play-first → played.
The time line is the microphone's: millisecond 0 is the first sample captured since the engine started.
`mono_ns` is CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from appliance.wire.message import Message

STOP_WORD = "stop"
"""The word that silences the device and opens nothing; the name of its detections."""
MOST_HELD_S = 1.0
"""A playback may be silent for so long in all, because a wake word seemed to be spoken into it."""


@dataclass(frozen=True, slots=True)
class Detection(Message):
    """The wake word was heard. From the sound engine."""

    kind: ClassVar[str] = "detection"
    name: str
    timestamp: int
    """End of the wake word, ms on the microphone's time line (the best estimate; speech may follow at once)."""
    score: float
    """0..1."""
    mono_ns: int
    """When the detection was made."""
    level_dbfs: float | None = None
    noise_dbfs: float | None = None
    """Loudness of the room before the word."""
    direction_deg: float | None = None
    """Of the speaker, degrees clockwise from the board's mark, where an array heard him."""


@dataclass(frozen=True, slots=True)
class NearWake(Message):
    """A score came close to a wake word's cutoff. From the sound engine."""

    kind: ClassVar[str] = "near-wake"
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Listen(Message):
    """Send microphone audio from `from_ms` on (out of the ring buffer where that is past), then live."""

    kind: ClassVar[str] = "listen"
    from_ms: int | None = None
    """None: from now on."""


@dataclass(frozen=True, slots=True)
class ListenStop(Message):
    """Send no more microphone audio."""

    kind: ClassVar[str] = "listen-stop"


@dataclass(frozen=True, slots=True)
class Heard(Message):
    """A block of microphone audio, 16 kHz mono S16 little-endian. From the sound engine, between listen and listen-stop.

    A superset of Wyoming's audio-chunk.
    """

    kind: ClassVar[str] = "audio-chunk"
    timestamp: int
    """Of the first sample, ms on the microphone's time line."""
    mono_ns: int
    """When the last sample was captured."""
    speech: float
    """Probability of speech in this block, 0..1."""
    level_dbfs: float
    rate: int = 16000
    width: int = 2
    channels: int = 1
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class EarChanged(Message):
    """Audio stopped or began to arrive. From the sound engine."""

    kind: ClassVar[str] = "ear"
    hearing: str
    """hearing, muted or deaf."""
    reason: str | None = None
    """One sentence for people where deaf."""


@dataclass(frozen=True, slots=True)
class PlayStart(Message):
    """Play audio that follows in play-audio. One at a time: a new one ends the one before."""

    kind: ClassVar[str] = "play-start"
    play: str
    """Identifies this playback in play-first and played."""
    rate: int
    """Hertz; mono S16 little-endian."""
    voice: str = "reply"
    """reply, chime or alarm: which volume applies."""


@dataclass(frozen=True, slots=True)
class PlayAudio(Message):
    """A piece of the playback; any length up to the wire's limit."""

    kind: ClassVar[str] = "play-audio"
    play: str
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class PlayStop(Message):
    """All audio of this playback was sent: `played` follows when the card has drained."""

    kind: ClassVar[str] = "play-stop"
    play: str


@dataclass(frozen=True, slots=True)
class PlayCancel(Message):
    """Be silent now, whatever is still buffered; `played` with `cancelled` follows."""

    kind: ClassVar[str] = "play-cancel"


@dataclass(frozen=True, slots=True)
class PlayFirst(Message):
    """The first audible sample was written to the card. From the sound engine."""

    kind: ClassVar[str] = "play-first"
    play: str
    mono_ns: int
    """When the write returned, plus what the card still had buffered before that sample."""


@dataclass(frozen=True, slots=True)
class PlayPosition(Message):
    """How far a playback is, about four times a second. From the sound engine."""

    kind: ClassVar[str] = "play-position"
    play: str
    played_ms: int


@dataclass(frozen=True, slots=True)
class Played(Message):
    """The card has drained, or the playback was cancelled or failed. From the sound engine."""

    kind: ClassVar[str] = "played"
    play: str
    mono_ns: int
    cancelled: bool = False
    error: str | None = None
    """One sentence where the card failed."""


@dataclass(frozen=True, slots=True)
class Mute(Message):
    """Close or open the microphone: while muted no sample reaches wake word, ring buffer or supervisor."""

    kind: ClassVar[str] = "mute"
    muted: bool


@dataclass(frozen=True, slots=True)
class Volume(Message):
    """Loudness of one voice."""

    kind: ClassVar[str] = "volume"
    percent: int
    voice: str = "reply"
    """reply, chime or alarm."""


@dataclass(frozen=True, slots=True)
class Feed(Message):
    """Recorded audio that takes the microphone's place (16 kHz mono S16). To the sound engine with `source = "feed"`.

    Queued behind what was fed before; answered with `fed` once its first sample is taken as captured.
    """

    kind: ClassVar[str] = "feed"
    name: str
    hold: bool = False
    """Begin only while a `listen` is active, with its very first sample."""
    audio: bytes = b""
    channels: int = 1
    """Interleaved, where the recording is of a whole array."""


@dataclass(frozen=True, slots=True)
class Fed(Message):
    """The first sample of a fed recording was captured (`done` false), or its last one (`done` true)."""

    kind: ClassVar[str] = "fed"
    name: str
    timestamp: int
    """ms on the microphone's time line."""
    mono_ns: int
    done: bool = False
