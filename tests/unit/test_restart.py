"""In: failures at given times. Out: waits that grow with full jitter, and a breaker that opens in a crash loop."""

from __future__ import annotations

import random

from appliance.settings.supervision import SupervisorSettings
from appliance.supervisor.restart import RestartPolicy

SETTINGS = SupervisorSettings(backoff_first_s=0.1, backoff_most_s=2.0, breaker_restarts=5, breaker_window_s=60.0)


class Ceiling(random.Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_waits_double_up_to_the_most() -> None:
    policy = RestartPolicy(SETTINGS, Ceiling())
    waits = [policy.failed(100.0 * n).seconds for n in range(7)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_jitter_is_full() -> None:
    waits = [RestartPolicy(SETTINGS, random.Random(seed)).failed(0.0).seconds for seed in range(200)]
    assert min(waits) < 0.01 < 0.09 < max(waits) <= 0.1


def test_a_crash_loop_opens_the_breaker_and_it_closes_with_time() -> None:
    policy = RestartPolicy(SETTINGS, Ceiling())
    assert [policy.failed(float(n)).breaker_open for n in range(5)] == [False] * 4 + [True]
    assert policy.failed(10.0).seconds == SETTINGS.breaker_open_s
    assert not policy.failed(500.0).breaker_open


def test_a_child_that_proved_itself_is_started_briefly_again() -> None:
    policy = RestartPolicy(SETTINGS, Ceiling())
    policy.failed(0.0)
    policy.failed(100.0)
    policy.worked()
    assert policy.failed(200.0).seconds == 0.1
