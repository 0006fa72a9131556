"""In: the times at which a child failed. Out: how long to wait before it is started again."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from appliance.backoff import full_jitter_s
from appliance.settings.supervision import SupervisorSettings


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait, and whether the circuit breaker is open (a crash loop)."""

    seconds: float
    breaker_open: bool


class RestartPolicy:
    """Full-jitter back-off with a circuit breaker; pure but for the random source.

    The n-th failure in a row waits uniformly between 0 and min(most, first · 2ⁿ) (AWS Architecture Blog,
    "Exponential Backoff and Jitter"). More than `breaker_restarts` failures within `breaker_window_s` open the
    breaker for `breaker_open_s`; after that one attempt is made, and so on: it never gives up.
    """

    def __init__(self, settings: SupervisorSettings, rng: random.Random | None = None) -> None:
        self._settings = settings
        self._rng = rng or random.Random()
        self._failures: deque[float] = deque(maxlen=settings.breaker_restarts)
        self._in_a_row = 0
        self._never_ready = 0

    def failed(self, now_s: float, was_ready: bool = True) -> Wait:
        """Notes a failure at `now_s` (monotonic). `was_ready`: the child had become ready; one that never does, however
        slowly it fails, opens the breaker after as many tries in a row.
        """
        self._never_ready = 0 if was_ready else self._never_ready + 1
        s = self._settings
        self._failures.append(now_s)
        full = len(self._failures) == s.breaker_restarts
        looping = full and now_s - self._failures[0] < s.breaker_window_s
        if looping or self._never_ready >= s.breaker_restarts:
            return Wait(s.breaker_open_s, True)
        wait_s = full_jitter_s(self._in_a_row, s.backoff_first_s, s.backoff_most_s, self._rng)
        self._in_a_row += 1
        return Wait(wait_s, False)

    def worked(self) -> None:
        """The child proved itself: the next failure waits briefly again. The breaker's window stays."""
        self._in_a_row = 0
