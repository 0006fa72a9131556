"""In: the sound engine's counters. Out: whether its wake words advance with its frames: "hearing" is a claim to be proved.

The engine judges its microphone itself; this is looked at from outside, where a fault inside the engine cannot hide it.
"""

from __future__ import annotations

from collections.abc import Mapping

STILL_SAMPLES = 5 * 16000
"""Samples of 16 kHz heard without a single wake inference: five seconds; a wake word is scored every 10 to 80 ms."""


class WakeProgress:
    """One engine's; `look` at every heartbeat."""

    def __init__(self) -> None:
        self._inferences: float | None = None
        self._frames = 0.0

    def look(self, counters: Mapping[str, float], muted: bool) -> str | None:
        """Why the engine hears no wake word although it gets sound; None where it does, where it is muted, and where
        no wake word is configured."""
        frames, inferences = counters.get("frames", 0.0), counters.get("wake_inferences", 0.0)
        restarted = frames < self._frames
        if muted or restarted or not counters.get("wake_words") or inferences != self._inferences:
            self._inferences, self._frames = inferences, frames
            return None
        if frames - self._frames < STILL_SAMPLES:
            return None
        return "The wake engine stands still."
