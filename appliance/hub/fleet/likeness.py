"""In: devices of a fleet. Out: those that differ from their like: a robust z-score over devices of the same board.

z = 0.6745 (value - median) / MAD; Iglewicz and Hoaglin (1993) call 3.5 an outlier. A spread of 0 (all alike but one) is
taken as a hundredth of the median, so that a hair's breadth is no finding.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.hub.fleet.device import Device

OUTLIER = 3.5
FEWEST = 5
"""Devices that make a kind: fewer say nothing about what is usual."""
MOST = 50
MEASURES = (
    "cpu_idle_ratio", "memory_idle_mb", "memory_growth_mb_per_hour", "temperature_c", "front_end_ms", "network_mbit_s",
    "descriptors", "threads",
)  # fmt: skip
"""Measures that are alike among devices of one board, besides the response time."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """One measure of one device."""

    device: str
    measure: str
    value: float
    median: float
    z: float
    """Positive: higher than its like."""
    kind: str
    """The board that it is compared within."""


def z_scores(values: Iterable[float]) -> tuple[float, list[float]]:
    """The median, and each value's robust z-score."""
    known = list(values)
    middle = statistics.median(known)
    spread = statistics.median(abs(value - middle) for value in known)
    spread = max(spread, abs(middle) * 0.01, 1e-9)
    return middle, [0.6745 * (value - middle) / spread for value in known]


def outliers(devices: Iterable[Device]) -> list[Outlier]:
    """The MOST strangest, the strangest first. Silent devices are left out: their last word is no comparison."""
    kinds: dict[str, list[Device]] = {}
    for device in devices:
        if device.metrics is not None and device.silent_s is None:
            kinds.setdefault((device.info.board if device.info else None) or "unknown", []).append(device)
    found: list[Outlier] = []
    for kind, alike in kinds.items():
        for measure in ("response_ms", *MEASURES):
            values = [(device.id, value) for device in alike if (value := _value(device, measure)) is not None]
            if len(values) < FEWEST:
                continue
            middle, scores = z_scores(value for _, value in values)
            for (name, value), z in zip(values, scores, strict=True):
                if abs(z) > OUTLIER:
                    found.append(Outlier(name, measure, value, middle, round(z, 2), kind))
    return sorted(found, key=lambda one: -abs(one.z))[:MOST]


def _value(device: Device, measure: str) -> float | None:
    metrics = device.metrics
    if metrics is None:
        return None
    if measure == "response_ms":
        spread = metrics.ms.get("response")
        return spread.p50 if spread else None
    return metrics.measures.get(measure)
