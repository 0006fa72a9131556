"""In: values around every limit. Out: the verdict and the severity that MEASURES.md asks for."""

from __future__ import annotations

from collections import Counter

import pytest

from appliance.telemetry.metrics.budget import Budget, Direction, Severity, Verdict
from appliance.telemetry.metrics.budgets import BUDGETS, budget_of


def _budget(name: str) -> Budget:
    found = budget_of(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("measure", "value", "verdict", "severity"),
    [
        ("response_ms.p95", 1500, Verdict.MET, None),
        ("response_ms.p95", 1700, Verdict.WARNING, Severity.P3),
        ("response_ms.p95", 1800, Verdict.WARNING, Severity.P2),
        ("response_ms.p95", 2300, Verdict.WARNING, Severity.P1),
        ("response_ms.p95", 4001, Verdict.CRITICAL, Severity.P0),
        ("memory_peak_mb", 2048, Verdict.WARNING, Severity.P1),
        ("memory_peak_mb", 2049, Verdict.CRITICAL, Severity.P0),
        ("memory_growth_mb_per_hour", 5.1, Verdict.WARNING, Severity.P1),
        ("error_rate", 0.016, Verdict.WARNING, Severity.P2),
        ("error_rate", 0.051, Verdict.CRITICAL, Severity.P1),
        ("stt_ms.p50", 1001, Verdict.CRITICAL, Severity.P1),
        ("idle.cpu_ratio", 0.2, Verdict.MET, None),
        ("commands.right_rate", 0.95, Verdict.MET, None),
        ("commands.right_rate", 0.9, Verdict.WARNING, Severity.P3),
        ("echo.erle_db", 16, Verdict.CRITICAL, Severity.P1),
        ("self_wakes", 1, Verdict.CRITICAL, Severity.P1),
    ],
)
def test_limits(measure: str, value: float, verdict: Verdict, severity: Severity | None) -> None:
    budget = _budget(measure)
    assert (budget.verdict(value), budget.severity(value)) == (verdict, severity)


def test_limits_stand_in_order() -> None:
    for budget in BUDGETS:
        limits = [limit for limit in (budget.goal, budget.target, budget.warning, budget.critical) if limit is not None]
        assert limits == sorted(limits, reverse=budget.direction is Direction.AT_LEAST), budget.name


def test_every_measure_has_one_judge() -> None:
    names = Counter(name for budget in BUDGETS for name in (budget.name, *budget.measures))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_remedy_is_a_sentence() -> None:
    assert [budget.name for budget in BUDGETS if not budget.remedy.endswith(".")] == []


def test_kind_of_data_chooses_the_budget() -> None:
    assert _budget("commands.right_rate").target == 0.95
    coffee = budget_of("commands.right_rate", "coffee")
    assert coffee is not None and coffee.target == 0.98
    noise = budget_of("commands.right_rate@noise", "coffee")
    assert noise is not None and noise.target == 0.96
    assert budget_of("commands.right_rate", "tea") is _budget("commands.right_rate")
    assert budget_of("nobody.set_one") is None
