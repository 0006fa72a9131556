"""In: devices. Out: how response times, versions and boards are spread over the fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.hub.fleet.device import Device

BIN_MS = 50.0
BINS = 30
"""The last one takes everything slower."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars of equal width; the last one is open to the right."""

    edges_ms: list[float]
    """One more than counts."""
    counts: list[int]
    failed: int
    """Turns without an answer, or with a failed one."""


def histogram(devices: Iterable[Device]) -> Histogram:
    """Of the last turns of every device, as their sparklines show them."""
    counts, failed = [0] * BINS, 0
    for device in devices:
        for dot in device.dots():
            if dot.response_ms is None:
                failed += 1
            else:
                counts[min(BINS - 1, int(dot.response_ms // BIN_MS))] += 1
    return Histogram([place * BIN_MS for place in range(BINS + 1)], counts, failed)


def shares(values: Iterable[str]) -> dict[str, int]:
    """How often each occurs, the most frequent first."""
    return dict(Counter(values).most_common(50))
