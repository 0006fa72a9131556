"""In: the fleet. Out: its metrics in Prometheus' text format, in base units; a silent device's vanish after 60 s.

A device's lines are made once a change and kept with its number; a family's lines stand together, as the format wants it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from appliance.hub.fleet.card import WATCHED
from appliance.hub.fleet.device import Device
from appliance.hub.fleet.fleet import Fleet
from appliance.telemetry.metrics.measures import LABELLED
from appliance.telemetry.metrics.prometheus import UNITS

VANISH_S = 60.0
"""So long after its last message a device is left out: an old value shown for ever is a lie."""
AT_ONCE = 200
"""Devices drawn before others may run."""

Lines = dict[str, str]
"""Family → its lines of one device."""


def _family(budget: str) -> tuple[str, float]:
    """Name in its base unit, and the factor to it; the same names as on the device's own /metrics."""
    unit = UNITS[WATCHED[budget].unit]
    stem = next((budget.removesuffix(told) for told in unit.told if budget.endswith(told)), budget)
    return f"appliance_{stem}{unit.ending}", unit.factor


FAMILIES = {budget: _family(budget) for budget in WATCHED if budget not in LABELLED}
HELP = {
    "appliance_up": "Whether the device was heard within 2.5 of its intervals: 1 or 0.",
    "appliance_info": "What seldom changes, as labels.",
    "appliance_stage_seconds": "Time of a stage, quantile over the device's own window of turns.",
    "appliance_alert": "1 for every alert that the device holds.",
    "appliance_messages_lost_total": "Numbered messages of the device that never came.",
    "appliance_turns_total": "Turns since the device's start, by outcome.",
} | {family: f"Newest value of the budgeted measure {budget}." for budget, (family, _) in FAMILIES.items()}


def escaped(text: str) -> str:
    """A label's value."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def lines(device: Device) -> Lines:
    """Everything that is known of one device; what is not known is left out."""
    made: dict[str, list[str]] = {}
    label = f'device="{escaped(device.id)}"'

    def put(family: str, value: float, more: str = "") -> None:
        if math.isfinite(value):
            made.setdefault(family, []).append(f"{family}{{{label}{more}}} {value:.10g}\n")

    put("appliance_up", float(device.silent_s is None))
    put("appliance_messages_lost_total", device.numbering.lost)
    if (info := device.info) is not None:
        facts = {"name": info.name, "area": info.area or "", "version": info.version, "board": info.board or ""}
        put("appliance_info", 1.0, "".join(f',{name}="{escaped(text)}"' for name, text in facts.items()))
    for name, held in device.alerts.items():
        put("appliance_alert", 1.0, f',name="{escaped(name)}",severity="{held.body.severity.value}"')
    if (metrics := device.metrics) is not None:
        for budget, value in metrics.measures.items():
            if value is not None and budget in FAMILIES:
                family, factor = FAMILIES[budget]
                put(family, value * factor)
        for stage, spread in metrics.ms.items():
            for quantile, ms in (("0.5", spread.p50), ("0.95", spread.p95), ("0.99", spread.p99)):
                if ms is not None:
                    put("appliance_stage_seconds", ms / 1000, f',stage="{escaped(stage)}",quantile="{quantile}"')
        for outcome, count in metrics.turns.outcomes.items():
            put("appliance_turns_total", count, f',outcome="{escaped(outcome)}"')
    return {family: "".join(rows) for family, rows in made.items()}


_kept: WeakKeyDictionary[Fleet, dict[str, tuple[int, Lines]]] = WeakKeyDictionary()


def _shown(fleet: Fleet, now_monotonic_s: float) -> Iterator[Device]:
    for device in list(fleet):
        heard_s = device.heard_monotonic_s
        if heard_s is not None and now_monotonic_s - heard_s <= max(VANISH_S, device.interval_s * 2.5):
            yield device


async def exposition(fleet: Fleet, now_monotonic_s: float | None = None) -> str:
    """The text of /metrics, of all devices that were heard lately."""
    now_s = time.monotonic() if now_monotonic_s is None else now_monotonic_s
    before = _kept.get(fleet, {})
    kept: dict[str, tuple[int, Lines]] = {}
    families: dict[str, list[str]] = {}
    for place, device in enumerate(_shown(fleet, now_s)):
        known = before.get(device.id)
        if known is None or known[0] != device.number:
            known = (device.number, lines(device))
        kept[device.id] = known
        for family, rows in known[1].items():
            families.setdefault(family, []).append(rows)
        if place % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    _kept[fleet] = kept
    parts = []
    for family, rows_of in families.items():
        kind = "counter" if family.endswith("_total") else "gauge"
        parts.append(f"# HELP {family} {HELP[family]}\n# TYPE {family} {kind}\n")
        parts += rows_of
    return "".join(parts)
