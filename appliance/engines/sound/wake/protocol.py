"""In: 30 ms blocks of microphone audio. Out: one score a word and block; the seam that every wake engine fits into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Word:
    """A wake word as its engine knows it."""

    name: str
    cutoff: float
    """Score, 0..1, above which the word counts as heard."""
    relief: float = 0.0
    """What may be taken off the cutoff in a quiet room; 0 where that was not measured, or the owner set the cutoff."""
    sha256: str | None = None
    """Of the model file, hexadecimal; None where the model is inside the engine's library."""


class WakeEngine(Protocol):
    """Scores every active word; what a score means is decided in `decision`.

    All audio is 16 kHz mono S16 little-endian.
    """

    name: str
    library: str
    """Distribution that does the work, for version reports."""
    words: tuple[Word, ...]
    step: int
    """Samples that `take` wants in one call."""
    latest: tuple[float, ...]
    """The bare probability of each word after the newest block, before anything is averaged; empty before the first."""
    tail_ms: int
    """How far behind the end of the word an engine's detection comes, ms; measured, leaning to the late side so that
    no word that follows is lost."""

    problems: dict[str, str]
    """Words that were asked for and cannot be heard → why, one sentence each."""

    def take(self, audio: bytes) -> tuple[float, ...] | None:
        """The score of each word after these `step` samples, or None where nothing was computed. Blocks for < 1 ms."""
        ...

    def reset(self) -> None:
        """Forgets all audio."""
        ...
