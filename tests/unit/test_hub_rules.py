"""In: the table of budgets. Out: alert rules and dashboards name only what /metrics has, with the table's own limits."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

pytest.importorskip("msgspec", reason="the extra 'hub' is not installed")

from appliance.hub.fleet.card import WATCHED
from appliance.hub.prometheus.dashboards import dashboards
from appliance.hub.prometheus.exposition import FAMILIES, HELP
from appliance.hub.prometheus.rules import rules, text

NAMES = re.compile(r"appliance_[a-z_0-9]+")


def test_every_budget_has_its_rule_with_its_limit() -> None:
    found = {rule["alert"]: rule for group in rules()["groups"] for rule in group["rules"]}
    warning = found["ApplianceResponseMsWarning"]
    assert warning["expr"] == "appliance_response_seconds > 1.5 and appliance_response_seconds <= 4"
    assert found["ApplianceResponseMsCritical"]["expr"] == "appliance_response_seconds > 4"
    assert found["ApplianceUptimeShareWarning"]["expr"].startswith("appliance_uptime")
    assert " < 0.999" in found["ApplianceUptimeShareWarning"]["expr"]
    assert warning["annotations"]["runbook_url"] == "http://127.0.0.1:8725/?device={{ $labels.device }}"
    assert warning["annotations"]["description"] == WATCHED["response_ms"].remedy
    assert len(found) == sum(len(group["rules"]) for group in rules()["groups"])
    assert {name for name in FAMILIES if f"{FAMILIES[name][0]} " in text()} == set(FAMILIES)


def test_rules_and_dashboards_ask_only_for_what_is_there() -> None:
    asked = {name for group in rules()["groups"] for rule in group["rules"] for name in NAMES.findall(rule["expr"])}
    for dashboard in dashboards().values():
        asked |= {
            name
            for panel in dashboard["panels"]
            for target in panel["targets"]
            for name in NAMES.findall(target["expr"])
        }
    assert asked - set(HELP) == set()


def test_dashboards_are_whole() -> None:
    for name, dashboard in dashboards().items():
        assert json.loads(json.dumps(dashboard)) == dashboard, name
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]) > 5


def test_the_file_is_yaml_and_prometheus_takes_it(tmp_path: Path) -> None:
    assert yaml.safe_load(text()) == rules()
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    (tmp_path / "rules.yaml").write_text(text(), encoding="utf-8")
    done = subprocess.run(
        [promtool, "check", "rules", str(tmp_path / "rules.yaml")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
