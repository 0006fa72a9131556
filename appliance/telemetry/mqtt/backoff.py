"""In: connections that ended. Out: how long to wait before the next one."""

from __future__ import annotations

from appliance.backoff import full_jitter_s

PROVEN_S = 30.0
"""A connection that lasted this long makes the next wait short again."""


class Backoff:
    """Full jitter: evenly from 0 to the doubled, capped bound, so that a fleet does not come back as one wave."""

    def __init__(self, first_s: float, most_s: float) -> None:
        """`first_s`, `most_s`: upper ends of the first wait and of every wait."""
        self._first_s = first_s
        self._most_s = most_s
        self._attempt = 0

    def wait_s(self, lasted_s: float) -> float:
        """The wait after an attempt that ended `lasted_s` after it was begun."""
        if lasted_s > PROVEN_S:
            self._attempt = 0
        wait_s = full_jitter_s(self._attempt, self._first_s, self._most_s)
        self._attempt += 1
        return wait_s
