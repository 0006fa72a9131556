"""In: nothing, or the JSON form of a timer. Out: one timer, or its JSON form, which outlives a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.files import number, table, text

LONGEST_S = 24 * 3600.0
"""Of what is left of a timer."""
LEAST_S = 1e-3
MOST_TOTAL_S = 30 * LONGEST_S
"""What a timer may have grown to by being lengthened."""
LAST_WALL_S = 4102444800.0
"""The year 2100: a later wall time is no time."""
MOST_ID, MOST_TEXT = 64, 1000
"""Characters."""


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


def restored(item: Any, written_s: float, wall_s: float, now_s: float) -> Timer:
    """The timer again, from what was written at wall time `written_s`. Raises Damaged (a ValueError).

    No more is left than when it was written: a wall clock that stands before `written_s` was not set yet.
    """
    found = table(item)
    due_wall_s = None if found.get("due_wall_s") is None else number(found["due_wall_s"], 0.0, LAST_WALL_S)
    left_s = number(found.get("left_s"), 0.0, LONGEST_S)
    if due_wall_s is not None:
        left_s = min(left_s, due_wall_s - max(wall_s, written_s))
    name, command = found.get("name"), found.get("command")
    return Timer(
        id=text(found.get("id"), MOST_ID),
        name=None if name is None else text(name, MOST_TEXT),
        total_s=number(found.get("total_s"), LEAST_S, MOST_TOTAL_S),
        started_s=number(found.get("started_s"), LEAST_S, MOST_TOTAL_S),
        due_s=None if due_wall_s is None else now_s + left_s,
        left_s=left_s if due_wall_s is None else 0.0,
        command=None if command is None else text(command, MOST_TEXT),
        due_wall_s=due_wall_s,
    )
