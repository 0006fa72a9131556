"""In: pieces of one playback, as the synthesiser gives them. Out: the same, at most so many samples at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.engines.sound.pcm import Samples
from appliance.wire.message import Message

VOICES = ("reply", "chime", "alarm")


@dataclass(slots=True)
class Track:
    """One playback: what came in and has not been written, and to whom its progress is told."""

    play: str
    rate_hz: int
    voice: str
    tell: Callable[[Message], None]
    pieces: deque[Samples] = field(default_factory=deque)
    complete: bool = False
    cancelled: bool = False
    ended: bool = False
    held_s: float = 0.0
    """How long it was kept silent so far, seconds."""

    def take(self, most: int) -> Samples:
        """The next samples, `most` of them or what is left of a piece; there must be one."""
        piece = self.pieces.popleft()
        if len(piece) > most:
            self.pieces.appendleft(piece[most:])
        return piece[:most]
