"""In: what a board's file says of its microphones. Out: the channel map and geometry that the sound engine is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ArrayMap:
    """Where each microphone of a board is, and which channel of its card it is on."""

    board: str
    channels: int
    """Of the card's capture stream."""
    microphones: tuple[int, ...]
    """Channels that carry raw microphones, counted from 0."""
    positions_m: tuple[tuple[float, float], ...]
    """Of each of `microphones`: metres to the right of the board's middle and towards its mark, seen from above."""
    processed: int | None = None
    """Channel that carries the board's own beam, where it has one."""
    loopback: tuple[int, ...] = ()
    """Channels that carry what the loudspeaker plays."""

    def tree(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of(cls, tree: dict[str, Any]) -> ArrayMap:
        """Of what `tree` gave."""
        return cls(
            board=str(tree["board"]),
            channels=int(tree["channels"]),
            microphones=tuple(tree["microphones"]),
            positions_m=tuple((float(right), float(ahead)) for right, ahead in tree["positions_m"]),
            processed=tree["processed"],
            loopback=tuple(tree["loopback"]),
        )
