"""In: the health table. Out: the same as Prometheus reads it (text exposition format 0.0.4), in base units.

Names follow prometheus.io, "Metric and label naming": seconds, bytes, ratios; counters end in `_total`. What is not
known is left out, because Prometheus has no null.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "appliance_"


@dataclass(frozen=True, slots=True)
class _Unit:
    """How a budget's unit becomes a base unit."""

    ending: str
    factor: float = 1.0
    told: tuple[str, ...] = ()
    """Endings of the budget's own name that say the old unit."""


UNITS = {
    "ms": _Unit("_seconds", 1e-3, ("_ms",)),
    "s": _Unit("_seconds", 1.0, ("_s",)),
    "s per s": _Unit("_ratio"),
    "of a core": _Unit("_ratio", 1.0, ("_ratio",)),
    "share": _Unit("_ratio", 1.0, ("_rate", "_share")),
    "MB": _Unit("_bytes", 1e6, ("_mb",)),
    "MB/h": _Unit("_bytes_per_second", 1e6 / 3600, ("_mb_per_hour",)),
    "Mbit/s": _Unit("_bytes_per_second", 1e6 / 8, ("_mbit_s",)),
    "kbit/s": _Unit("_bytes_per_second", 1e3 / 8, ("_kbit_s",)),
    "°C": _Unit("_celsius", 1.0, ("_c",)),
    "1/h": _Unit("_per_second", 1 / 3600, ("_per_hour",)),
    "": _Unit(""),
}
"""Unit of a budget → base unit. A budget with another unit is an error that a test finds."""


@dataclass(slots=True)
class _Family:
    """One metric: its HELP and TYPE lines come once, its samples behind them."""

    name: str
    kind: str
    text: str
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"# HELP {PREFIX}{self.name} {self.text}\n# TYPE {PREFIX}{self.name} {self.kind}\n"
        for labels, value in self.samples:
            inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{PREFIX}{self.name}{{{inner}}} {_number(value)}\n"


class _Page:
    """Families in the order of their first sample."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._families: dict[str, _Family] = {}

    def put(self, name: str, kind: str, text: str, value: float | None, /, **labels: str) -> None:
        if value is not None and math.isfinite(value):
            family = self._families.setdefault(name, _Family(name, kind, text))
            family.samples.append(({"device": self._device, **labels}, value))

    def __str__(self) -> str:
        return "".join(line for family in self._families.values() for line in family.lines())


def exposition(health: Mapping[str, Any], device: str) -> str:
    """The text of /metrics. `health`: what `Telemetry.health` gives."""
    page = _Page(device)
    page.put("healthy", "gauge", "Whether the device is healthy: 1 or 0.", float(health["healthy"]))
    for row_name, row in health["budgets"].items():
        _budget(page, row_name, row)
    for stage, spread in health["ms"].items():
        for share in ("p50", "p95", "p99"):
            value = spread[share]
            page.put("stage_seconds", "gauge", "Time of a stage, quantile over the window of turns that is stated.",
                     None if value is None else value / 1000, stage=stage, quantile=f"0.{share[1:]}")  # fmt: skip
    page.put("window_turns", "gauge", "Turns that the quantiles are taken over.", health["window"]["turns"])
    for outcome, count in health["turns"]["outcomes"].items():
        page.put("turns_total", "counter", "Turns since the start, by outcome.", count, outcome=outcome)
    _engines(page, health)
    for alert in health["alerts"]:
        page.put("alert", "gauge", "1 for every alert that holds.", 1.0, name=alert["name"], severity=alert["severity"])
    _mqtt(page, health["mqtt"])
    return str(page)


def _budget(page: _Page, name: str, row: Mapping[str, Any]) -> None:
    """Each budgeted measure by a name of its own, and its limit beside it."""
    unit = UNITS[row["unit"]]
    stem = next((name.removesuffix(told) for told in unit.told if name.endswith(told)), name)
    value = row["value"]
    page.put(f"{stem}{unit.ending}", "gauge", f"Newest value of the budgeted measure {name}.",
             None if value is None else value * unit.factor)  # fmt: skip
    page.put("budget_target", "gauge", "Target of a measure, in that measure's base unit.",
             row["target"] * unit.factor, measure=f"{stem}{unit.ending}")  # fmt: skip


def _engines(page: _Page, health: Mapping[str, Any]) -> None:
    for engine, ready in health["engines"].items():
        page.put("engine_ready", "gauge", "Whether the child process answers: 1 or 0.", float(ready), engine=engine)
    for engine, restarts in health["engine_restarts"].items():
        page.put("engine_restarts_total", "counter", "Replacements of the child process.", restarts, engine=engine)
    for process, use in health["processes"].items():
        labels = {"process": process}
        page.put("process_resident_memory_bytes", "gauge", "Resident memory.", use["rss_mb"] * 1e6, **labels)
        pss = use["pss_mb"]
        page.put("process_proportional_memory_bytes", "gauge", "Proportional set size: shared pages count in part.",
                 None if pss is None else pss * 1e6, **labels)  # fmt: skip
        page.put("process_cpu_ratio", "gauge", "Seconds of a core a second, at the last look.",
                 use["cpu_ratio"], **labels)  # fmt: skip
        page.put("process_open_fds", "gauge", "Open file descriptors.", use["descriptors"], **labels)
        page.put("process_threads", "gauge", "Threads.", use["threads"], **labels)
        page.put("process_written_bytes_total", "counter", "Bytes sent to storage since the process began.",
                 use["written_bytes"], **labels)  # fmt: skip


def _mqtt(page: _Page, mqtt: Mapping[str, Any]) -> None:
    page.put("mqtt_connected", "gauge", "Whether the broker is there: 1 or 0.", float(mqtt["connected"]))
    page.put("mqtt_messages_waiting", "gauge", "Messages that the broker has not taken yet.", mqtt["waiting"])
    page.put("mqtt_waiting_bytes", "gauge", "Their size.", mqtt["waiting_bytes"])
    for kind, count in mqtt["delivered"].items():
        page.put("mqtt_messages_delivered_total", "counter", "Messages that the broker took.", count, kind=kind)
    for kind, count in mqtt["dropped"].items():
        page.put("mqtt_messages_dropped_total", "counter", "Messages dropped for want of room.", count, kind=kind)
    for way in ("in", "out"):
        page.put("mqtt_bytes_total", "counter", "Bytes that TCP carried.", mqtt[f"bytes_{way}"], direction=way)
    page.put("telemetry_cpu_seconds_total", "counter", "CPU time of telemetry itself.", mqtt["telemetry_cpu_s"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return repr(float(value)) if not float(value).is_integer() else str(int(value))
