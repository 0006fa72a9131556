"""In: the table of budgets and the families of /metrics. Out: Grafana's dashboards as JSON: the fleet, and one device.

Their queries name only families that `exposition.py` writes (tested); how they look in a Grafana is not tested here.
"""

from __future__ import annotations

from typing import Any

from appliance.hub.fleet.card import WATCHED
from appliance.hub.prometheus.exposition import FAMILIES

SCHEMA = 39
"""Of Grafana 11's dashboards."""
UNITS = {"_seconds": "s", "_bytes": "bytes", "_celsius": "celsius", "_ratio": "percentunit"}
STAGES = ("response", "wake", "endpoint", "stt", "intent", "action", "tts_first", "play")
WIDE, TALL = 12, 8


def dashboards() -> dict[str, dict[str, Any]]:
    """File name → dashboard."""
    return {"fleet.json": _fleet(), "device.json": _device()}


def _fleet() -> dict[str, Any]:
    panels = [
        _stat("Devices heard", "count(appliance_up == 1)"),
        _stat("Silent", "count(appliance_up == 0) or vector(0)"),
        _stat("Own alarms", "count(appliance_alert == 1) or vector(0)"),
        _lines("Median response", [('quantile(0.5, appliance_stage_seconds{stage="response",quantile="0.5"})', "p50"),
                                   ('quantile(0.95, appliance_stage_seconds{stage="response",quantile="0.95"})', "p95")],
               "s", _limit("response_ms")),
        _lines("Slowest devices", [('topk(10, appliance_stage_seconds{stage="response",quantile="0.5"})', "{{device}}")], "s",
               _limit("response_ms")),
        _lines("Turns a minute", [("sum(rate(appliance_turns_total[5m])) * 60", "turns")], "short", None),
        _lines("Lost messages", [("sum(increase(appliance_messages_lost_total[5m]))", "lost")], "short", None),
    ]  # fmt: skip
    return _dashboard("appliance-fleet", "Voice appliances: the fleet", panels, [])


def _device() -> dict[str, Any]:
    chosen = 'device="$device"'
    stages = [(f'appliance_stage_seconds{{{chosen},stage="{stage}",quantile="0.95"}}', stage) for stage in STAGES]
    panels = [_lines("Stages, p95", stages, "s", _limit("response_p95_ms"))]
    for name, (family, _) in FAMILIES.items():
        unit = next((told for ending, told in UNITS.items() if family.endswith(ending)), "short")
        panels.append(_lines(name.replace("_", " "), [(f"{family}{{{chosen}}}", name)], unit, _limit(name)))
    variable = {
        "name": "device", "type": "query", "query": "label_values(appliance_up, device)", "refresh": 2,
        "datasource": {"type": "prometheus", "uid": "${source}"}, "sort": 1,
    }  # fmt: skip
    return _dashboard("appliance-device", "Voice appliances: one device", panels, [variable])


def _limit(budget: str) -> float:
    return WATCHED[budget].target * FAMILIES[budget][1]


def _dashboard(uid: str, title: str, panels: list[dict[str, Any]], variables: list[dict[str, Any]]) -> dict[str, Any]:
    for number, panel in enumerate(panels):
        panel["id"] = number + 1
        panel["gridPos"] = {"h": TALL, "w": WIDE, "x": WIDE * (number % 2), "y": TALL * (number // 2)}
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": uid, "title": title, "schemaVersion": SCHEMA, "tags": ["appliance"], "refresh": "10s", "editable": True,
        "time": {"from": "now-6h", "to": "now"}, "templating": {"list": [source, *variables]}, "panels": panels,
    }  # fmt: skip


def _panel(kind: str, title: str, queries: list[tuple[str, str]], unit: str, limit: float | None) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if limit is not None:
        steps.append({"color": "red", "value": limit})
    return {
        "type": kind, "title": title, "datasource": source,
        "targets": [
            {"refId": chr(ord("A") + place), "expr": expression, "legendFormat": legend, "datasource": source}
            for place, (expression, legend) in enumerate(queries)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": unit, "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "line" if limit is not None else "off"}} if kind != "stat" else {},
            },
            "overrides": [],
        },
    }  # fmt: skip


def _lines(title: str, queries: list[tuple[str, str]], unit: str, limit: float | None) -> dict[str, Any]:
    return _panel("timeseries", title, queries, unit, limit)


def _stat(title: str, query: str) -> dict[str, Any]:
    return _panel("stat", title, [(query, title)], "short", None)
