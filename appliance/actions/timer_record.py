"""In: nothing, or the JSON form of a timer. Out: one timer, or its JSON form, which outlives a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer. It runs (`due_s`), is paused (`left_s`) or rings (`ringing`)."""

    id: str
    name: str | None
    total_s: float
    started_s: float
    """Length it was started with, seconds; by it people name it: 'the ten minute timer'."""
    due_s: float | None = None
    """Monotonic time at which it rings."""
    left_s: float = 0.0
    """What is left while it is paused."""
    ringing: bool = False
    command: str | None = None
    """A sentence to be carried out instead of ringing."""
    due_wall_s: float | None = None
    """Only of restored timers: when it is due by the wall clock."""

    @property
    def paused(self) -> bool:
        return self.due_s is None and not self.ringing

    def remaining_s(self, now_s: float) -> float:
        """Seconds left at monotonic time `now_s`; 0 while it rings."""
        if self.ringing:
            return 0.0
        return self.left_s if self.due_s is None else max(0.0, self.due_s - now_s)


def saved(timer: Timer, wall_s: float, now_s: float) -> dict[str, Any]:
    """The JSON form at wall time `wall_s` and monotonic time `now_s`; a ringing timer is due now, to ring again."""
    left_s = timer.remaining_s(now_s)
    return {
        "id": timer.id,
        "name": timer.name,
        "total_s": timer.total_s,
        "started_s": timer.started_s,
        "due_wall_s": None if timer.paused else (timer.due_wall_s or wall_s + left_s),
        "left_s": left_s,
        "command": timer.command,
    }


def restored(item: dict[str, Any], written_s: float, wall_s: float, now_s: float) -> Timer:
    """The timer again, from what was written at wall time `written_s`. Raises KeyError, TypeError, ValueError.

    A wall clock that stands before `written_s` was not set yet: no more is left than when it was written.
    """
    due_wall_s = None if item["due_wall_s"] is None else float(item["due_wall_s"])
    left_s = float(item["left_s"])
    if due_wall_s is not None:
        left_s = due_wall_s - max(wall_s, written_s)
    return Timer(
        id=str(item["id"]),
        name=None if item["name"] is None else str(item["name"]),
        total_s=float(item["total_s"]),
        started_s=float(item["started_s"]),
        due_s=None if due_wall_s is None else now_s + left_s,
        left_s=left_s if due_wall_s is None else 0.0,
        command=None if item["command"] is None else str(item["command"]),
        due_wall_s=due_wall_s,
    )
