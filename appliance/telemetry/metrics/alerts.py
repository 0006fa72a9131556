"""In: values of measures, again and again. Out: alerts that begin and end, with hysteresis."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.telemetry.metrics.budget import Budget, Direction, Severity, Verdict

RAISE_AFTER = 3
"""Looks in a row that must be beyond the target before an alert begins; one is enough for P0."""
CLEAR_AFTER = 3
"""Looks in a row that must be well within it before the alert ends."""
MARGIN = 0.1
"""'Well within': a tenth of the target on its good side, so that a value that wobbles around it rings once."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A broken budget."""

    name: str
    severity: Severity
    value: float
    budget: Budget
    since_s: float
    """Unix time."""

    def body(self) -> dict[str, Any]:
        """The message of `alert/<name>`."""
        limits = {"target": self.budget.target, "warning": self.budget.warning, "critical": self.budget.critical}
        return {
            "name": self.name,
            "severity": self.severity.value,
            "verdict": self.budget.verdict(self.value).value,
            "value": round(self.value, 4),
            "unit": self.budget.unit,
            "direction": self.budget.direction.value,
            "budget": limits,
            "remedy": self.budget.remedy,
            "since": round(self.since_s, 3),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """An alert began or changed its severity (`alert`), or ended (None)."""

    name: str
    alert: Alert | None


@dataclass(slots=True)
class _Watch:
    beyond: int = 0
    within: int = 0
    milder: int = 0
    alert: Alert | None = None


@dataclass(slots=True)
class Alerts:
    """Judges values. `look` is called once an interval."""

    budgets: Iterable[Budget]
    _by_name: dict[str, Budget] = field(init=False)
    _watches: dict[str, _Watch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name = {budget.name: budget for budget in self.budgets}

    def holding(self) -> dict[str, Alert]:
        """Every alert that holds now, the gravest first."""
        held = {name: watch.alert for name, watch in self._watches.items() if watch.alert is not None}
        return dict(sorted(held.items(), key=lambda item: item[1].severity.value))

    def look(self, values: Mapping[str, float | None]) -> list[Change]:
        """Judges one set of values by budget name; what is missing or None changes nothing."""
        changes = []
        for name, value in values.items():
            budget = self._by_name.get(name)
            if budget is not None and value is not None:
                watch = self._watches.setdefault(name, _Watch())
                if (change := self._judge(budget, value, watch)) is not None:
                    changes.append(change)
        return changes

    def _judge(self, budget: Budget, value: float, watch: _Watch) -> Change | None:
        severity = budget.severity(value)
        watch.beyond = watch.beyond + 1 if severity is not None else 0
        watch.within = watch.within + 1 if well_within(budget, value) else 0
        if watch.alert is None:
            if severity is not None and (watch.beyond >= RAISE_AFTER or severity is Severity.P0):
                return self._set(budget, value, severity, watch, time.time())
            return None
        if watch.within >= CLEAR_AFTER:
            watch.alert = None
            return Change(budget.name, None)
        if severity is None:
            return None
        return self._regrade(budget, value, severity, watch, watch.alert)

    def _regrade(self, budget: Budget, value: float, severity: Severity, watch: _Watch, held: Alert) -> Change | None:
        """Graver at once, milder after a while."""
        watch.milder = watch.milder + 1 if severity.value > held.severity.value else 0
        if severity.value < held.severity.value or watch.milder >= CLEAR_AFTER:
            return self._set(budget, value, severity, watch, held.since_s)
        return None

    def _set(self, budget: Budget, value: float, severity: Severity, watch: _Watch, since_s: float) -> Change:
        watch.milder = 0
        watch.alert = Alert(budget.name, severity, value, budget, since_s)
        return Change(budget.name, watch.alert)


def well_within(budget: Budget, value: float) -> bool:
    """Whether the value keeps its target with the margin to spare. A target of 0 has no room for one."""
    room = abs(budget.target) * MARGIN
    if budget.direction is Direction.AT_LEAST:
        most = 1.0 if budget.unit == "share" else float("inf")
        return value >= min(budget.target + room, (budget.target + most) / 2)
    return value <= budget.target - room


def verdicts(budgets: Iterable[Budget], values: Mapping[str, float | None]) -> dict[str, dict[str, Any]]:
    """Every measure with its value and verdict (null where it is not known), for status, health and MQTT."""
    table: dict[str, dict[str, Any]] = {}
    for budget in budgets:
        if budget.name in values:
            value = values[budget.name]
            verdict: Verdict | None = None if value is None else budget.verdict(value)
            table[budget.name] = {
                "value": None if value is None else round(value, 4),
                "unit": budget.unit,
                "target": budget.target,
                "verdict": None if verdict is None else verdict.value,
            }
    return table
