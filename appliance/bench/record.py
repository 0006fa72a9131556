"""In: a suite's result and the run's models. Out: the record that `bench --json` prints and the report draws."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.bench.machine import PI5_CORE_SLOWER, machine, model_hashes, versions
from appliance.bench.result import SuiteResult
from appliance.telemetry.metrics.budget import Budget
from appliance.telemetry.metrics.budgets import budget_of
from appliance.wire.child import Models

CPU_UNIT = "of a core"


@dataclass(frozen=True, slots=True)
class Judged:
    """One measure beside its budget."""

    name: str
    value: float | None
    budget: Budget | None

    @property
    def verdict(self) -> str | None:
        """met, warning or critical; None without a value or without a budget."""
        return None if self.value is None or self.budget is None else self.budget.verdict(self.value).value

    @property
    def pi5(self) -> float | None:
        """The value on a Raspberry Pi 5, projected; None where it is no share of a core."""
        if self.value is None or self.budget is None or self.budget.unit != CPU_UNIT:
            return None
        return self.value * PI5_CORE_SLOWER


@dataclass(frozen=True, slots=True)
class Record:
    """A result, and under which conditions it was had."""

    result: SuiteResult
    machine: dict[str, Any] = field(default_factory=machine)
    versions: dict[str, str] = field(default_factory=versions)
    models: dict[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> list[Judged]:
        """Every measure in the suite's order."""
        variant = self.result.variant
        return [Judged(name, _number(value), budget_of(name, variant)) for name, value in self.result.measures.items()]

    def table(self) -> dict[str, Any]:
        """The object of CLI.md; notes say why a measure is null."""
        return {
            "suite": self.result.suite,
            "n": self.result.n,
            "measures": {row.name: row.value for row in self.judged},
            "budgets": {
                row.name: {"target": row.budget.target, "verdict": row.verdict} for row in self.judged if row.budget
            },
            "notes": list(self.result.notes),
            "machine": self.machine,
            "versions": self.versions,
            "models": self.models,
        }


def record(result: SuiteResult, models: Models) -> Record:
    """The record of a result that was had just now, on this machine, with these models."""
    here = machine()
    if here["load_1min"] > (here["cores"] or 1):
        busy = f"Others were at work here (load {here['load_1min']} on {here['cores']} cores): times are upper bounds."
        result = replace(result, notes=(*result.notes, busy))
    return Record(result, here, models=model_hashes(models))


def _number(value: float | None) -> float | None:
    """JSON knows no infinity and no NaN: what is none of the numbers could not be measured."""
    return None if value is None or not math.isfinite(value) else value
