"""In: states that begin and end. Out: the one that is shown: the first of `events.State` that holds.

Pure: time is given. Several states hold at once; some end by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.events import State

RANK = {state: rank for rank, state in enumerate(State)}
LEAST_S = {State.ERROR: 1.2}
"""A state stays at least this long, so that it can be seen."""


@dataclass(frozen=True, slots=True)
class Held:
    """A state that holds."""

    state: State
    since_s: float
    value: float | None = None
    reason: str | None = None
    until_s: float | None = None
    """When it ends by itself; None: when it is released."""


class Arbiter:
    """The states that hold. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._held: dict[State, Held] = {}

    def hold(
        self,
        state: State,
        now_s: float,
        value: float | None = None,
        reason: str | None = None,
        until_s: float | None = None,
    ) -> None:
        """`state` holds from now on; if it held already, it keeps its beginning and takes the new value."""
        if state is State.IDLE:
            return
        self._expire(now_s)
        before = self._held.get(state)
        same = before is not None and before.reason == reason
        since_s = before.since_s if before is not None and same else now_s
        self._held[state] = Held(state, since_s, value, reason, until_s)

    def release(self, state: State, now_s: float) -> None:
        """`state` holds no longer; one that must be seen stays until it was."""
        held = self._held.get(state)
        if held is None:
            return
        least_s = held.since_s + LEAST_S.get(state, 0.0)
        if now_s < least_s:
            self._held[state] = replace(held, until_s=least_s)
        else:
            del self._held[state]

    def top(self, now_s: float) -> Held:
        """The most urgent state that holds; IDLE, since ever, where none does."""
        self._expire(now_s)
        return min(self._held.values(), key=lambda held: RANK[held.state], default=Held(State.IDLE, 0.0))

    def next_s(self) -> float | None:
        """When the next state ends by itself."""
        return min((held.until_s for held in self._held.values() if held.until_s is not None), default=None)

    def _expire(self, now_s: float) -> None:
        for held in tuple(self._held.values()):
            if held.until_s is not None and held.until_s <= now_s:
                del self._held[held.state]
