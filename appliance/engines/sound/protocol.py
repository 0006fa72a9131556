"""In: microphone audio to the ear, samples of a reply. Out: the seams between the engine and what gives or takes them."""

from __future__ import annotations

from typing import Protocol

from appliance.engines.sound.pcm import Samples


class Source(Protocol):
    """Where microphone audio comes from: a card or a feed."""

    problem: str | None
    """One sentence where no audio comes, and why."""
    paced: bool
    """Frames arrive at a known pace, so that their absence is a fault."""
    noisy: bool
    """A real microphone, whose own noise moves the lowest bits."""

    @property
    def blocked(self) -> bool:
        """The driver or the sound server hangs at this moment."""
        ...

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def watch(self) -> None: ...
    def counters(self) -> dict[str, float]: ...


class Sink(Protocol):
    """Where samples go. All calls come from the playback thread and may block."""

    rate_hz: int
    """Of the samples that `write` takes; known once open."""
    underruns: int

    def open(self, rate_hz: int) -> None:
        """Ready for samples, at `rate_hz` where the card can. Raises DeviceError."""
        ...

    def write(self, samples: Samples) -> None:
        """Takes samples, blocking while the buffer is full. Raises DeviceError."""
        ...

    def pending_s(self) -> float:
        """Seconds of audio written that have not sounded yet."""
        ...

    def drop(self) -> None:
        """Silence now."""
        ...

    def again(self) -> None:
        """Ready for samples after a `drop`. Raises DeviceError."""
        ...

    def close(self) -> None: ...
