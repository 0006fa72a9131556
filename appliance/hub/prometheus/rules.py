"""In: the table of budgets. Out: Prometheus' alert rules, so that no limit is written twice.

A warning holds while the target is missed for MISSED_FOR, a critical one while the critical limit is. A silent device is
the first rule; what a device alarms itself by its own windows comes through as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from appliance.hub.fleet.card import WATCHED
from appliance.hub.prometheus.exposition import FAMILIES
from appliance.telemetry.metrics.budget import Budget, Direction

MISSED_FOR = "5m"
SILENT_FOR = "15s"
"""On top of the 2.5 intervals after which the hub finds a device silent."""
PAGE = "http://127.0.0.1:8725"
"""Where people open the hub; every alert leads to its device's page there, which tells what to do."""


def rules(page: str = PAGE) -> dict[str, Any]:
    """The content of a rules file; `page` is the hub's address as people open it."""
    made: dict[str, list[dict[str, Any]]] = {
        "groups": [
            {"name": "appliance-presence", "rules": list(_presence())},
            {"name": "appliance-budgets", "rules": [rule for name in FAMILIES for rule in _of(WATCHED[name])]},
        ]
    }
    for group in made["groups"]:
        for rule in group["rules"]:
            rule["annotations"]["runbook_url"] = f"{page}/?device={{{{ $labels.device }}}}"
    return made


def text(page: str = PAGE) -> str:
    """The rules file as YAML, with a first line that says where it comes from."""
    body = yaml.safe_dump(rules(page), sort_keys=False, width=120, allow_unicode=True)
    return f"# Made by `appliance hub rules` from the table of budgets: change that, not this.\n{body}"


def _presence() -> Iterator[dict[str, Any]]:
    yield _rule(
        "ApplianceSilent", "appliance_up == 0", SILENT_FOR, "critical", "{{ $labels.device }} says nothing",
        "Look whether it has power and network.",
    )  # fmt: skip
    yield _rule(
        "ApplianceVanished", "(appliance_up offset 10m) unless appliance_up", "1m", "warning",
        "{{ $labels.device }} has said nothing for more than a minute", "Look whether it has power and network.",
    )  # fmt: skip
    yield _rule(
        "ApplianceOwnAlarm", 'appliance_alert{severity=~"P0|P1"} == 1', "1m", "critical",
        "{{ $labels.device }}: {{ $labels.name }}", "The device found this by its own windows: open its page at the hub.",
    )  # fmt: skip
    yield _rule(
        "ApplianceMessagesLost", "increase(appliance_messages_lost_total[15m]) > 10", "0s", "warning",
        "{{ $labels.device }}: {{ $value | humanize }} messages were lost",
        "Raise `max_queued_messages` of the broker, or look at the device's network.",
    )  # fmt: skip


def _of(budget: Budget) -> Iterator[dict[str, Any]]:
    limits = [("warning", budget.target, budget.critical), ("critical", budget.critical, None)]
    family, factor = FAMILIES[budget.name]
    least = budget.direction is Direction.AT_LEAST
    past, within = ("<", ">=") if least else (">", "<=")
    words = budget.name.replace("_", " ")
    for severity, limit, end in limits:
        if limit is None:
            continue
        expression = f"{family} {past} {limit * factor:.10g}"
        if end is not None:  # one alert a fault: what is critical is no warning as well
            expression += f" and {family} {within} {end * factor:.10g}"
        yield _rule(
            "Appliance" + "".join(part.capitalize() for part in budget.name.split("_")) + severity.capitalize(),
            expression, MISSED_FOR, severity,
            f"{{{{ $labels.device }}}}: {words} is {{{{ $value | humanize }}}} (limit {limit * factor:.10g})",
            budget.remedy,
        )  # fmt: skip


def _rule(name: str, expression: str, held: str, severity: str, summary: str, remedy: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": held,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": remedy},
    }
