"""In: alerts, values, turns, engines. Out: how the device stands, as one table for status, the health endpoint and people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.telemetry.device import Source
from appliance.telemetry.metrics.alerts import Alerts, verdicts
from appliance.telemetry.metrics.budgets import BUDGETS
from appliance.telemetry.metrics.faults import FAULTS
from appliance.telemetry.metrics.measures import Look, process_table
from appliance.telemetry.metrics.windows import Turns

WATCHED = BUDGETS + FAULTS
"""Everything that can be an alert."""


def standing(
    source: Source, alerts: Alerts, values: Mapping[str, float | None], turns: Turns, look: Look | None
) -> dict[str, Any]:
    """Healthy: no P0 alert holds, every engine answers, the ear is not deaf."""
    held = alerts.holding()
    grave = [name for name, alert in held.items() if alert.severity.value == "P0"]
    hearing, reason = source.hearing()
    engines = source.engines()
    ready = all(facts.ready for facts in engines.values())
    return {
        "healthy": not grave and ready and hearing.value != "deaf",
        "hearing": hearing.value,
        "deaf_reason": reason if hearing.value == "deaf" else None,
        "engines": {name: facts.ready for name, facts in engines.items()},
        "engine_restarts": {name: facts.restarts for name, facts in engines.items()},
        "processes": {} if look is None else process_table(look),
        "turns": {"total": turns.total, "outcomes": dict(turns.outcomes)},
        "budgets": verdicts(WATCHED, values),
        "alerts": [alert.body() for alert in held.values()],
        "window": {"turns": turns.counted, "most_turns": turns.most},
        "ms": turns.times(),
    }
