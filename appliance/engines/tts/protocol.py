"""In: a short text. Out: its samples. The seam between the synthesiser's connections and the voices behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
"""Mono speech, S16."""
Wanted = Callable[[], bool]
"""Whether anybody still waits for the speech; asked from the thread that makes it."""

NOTHING: Samples = np.zeros(0, np.int16)


class Speaker(Protocol):
    """A voice that is loaded. `speak` may run on several threads at once."""

    @property
    def name(self) -> str:
        """Engine: vits or espeak."""

    @property
    def model(self) -> str | None:
        """Name in the catalogue."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def language(self) -> str:
        """BCP 47, of the voice."""

    @property
    def identity(self) -> tuple[str, ...]:
        """All that changes the sound: voice, hash of the model, speed. Part of the phrase cache's key."""

    @property
    def versions(self) -> dict[str, str]:
        """Library → version."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the voice lacks; a sentence each."""

    def speak(self, text: str, wanted: Wanted) -> Samples:
        """Speech of `text`, or fewer samples (none, mostly) once it is not wanted. Blocks. Raises TtsError."""
        ...

    def background(self) -> Speaker:
        """The same voice for work that must not take cores from a reply; dropped after use."""
        ...
