"""In: attempts that failed, or lasted. Out: waits that double up to a bound, and begin anew after a good connection."""

from __future__ import annotations

import pytest

from appliance.telemetry.mqtt.backoff import PROVEN_S, Backoff


def test_waits_double_to_the_bound_and_a_proven_connection_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.backoff.random.uniform", lambda least_s, most_s: most_s - least_s)
    backoff = Backoff(0.5, 3.0)
    assert [backoff.wait_s(PROVEN_S) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff.wait_s(PROVEN_S + 1.0) == 0.5
    assert all(backoff.wait_s(0.0) <= 3.0 for _ in range(2000)), "a night without a broker is no overflow"
