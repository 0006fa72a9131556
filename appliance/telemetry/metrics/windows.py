"""In: times of turns. Out: p50, p95, p99 over a window that is stated: the last N turns."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.events import MEASURES_MS, Outcome, TurnRecord

SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
LEAST_TURNS = 5
"""Fewer turns than this are not judged against a budget: the median of two says nothing."""
LEAST_TURNS_RATE = 20
"""Fewer turns than this give no error rate to judge."""


def percentile(values: Sequence[float], share: float) -> float:
    """Linear between the closest ranks (numpy's default; Hyndman and Fan, 1996, type 7). `values` is not empty."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """p50, p95, p99 and n; null where there is nothing."""
    shares = {name: round(percentile(values, share), 1) if values else None for name, share in SHARES.items()}
    return {**shares, "n": len(values)}


@dataclass(slots=True)
class Turns:
    """The last turns."""

    most: int
    total: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of all turns since the start."""
    last: TurnRecord | None = None
    _records: deque[TurnRecord] = field(init=False)

    def __post_init__(self) -> None:
        self._records = deque(maxlen=self.most)

    def add(self, record: TurnRecord) -> None:
        self.total += 1
        self.outcomes[record.outcome.value] += 1
        self.last = record
        self._records.append(record)

    @property
    def counted(self) -> int:
        """How many are in the window."""
        return len(self._records)

    def times(self) -> dict[str, dict[str, float | None]]:
        """Measure (without `_ms`) → spread, in ms."""
        return {name: spread(self._values(name)) for name in MEASURES_MS}

    def judged(self) -> dict[str, float]:
        """`stt_ms.p50`, `response_ms.p95` …, of those with turns enough; first samples out of the cache by themselves too."""
        found = {}
        for name in MEASURES_MS:
            values = self._values(name)
            if len(values) >= LEAST_TURNS:
                for share in ("p50", "p95"):
                    found[f"{name}_ms.{share}"] = percentile(values, SHARES[share])
        cached = [v for record in self._records if record.cached and (v := record.ms.get("tts_first")) is not None]
        if len(cached) >= LEAST_TURNS:
            found |= {f"tts_cached_first_ms.{share}": percentile(cached, SHARES[share]) for share in ("p50", "p95")}
        return found

    def error_rate(self) -> float | None:
        """Share of failed turns in the window; None with too few."""
        if self.counted < LEAST_TURNS_RATE:
            return None
        return sum(record.outcome is Outcome.FAILED for record in self._records) / self.counted

    def _values(self, name: str) -> list[float]:
        return [value for record in self._records if (value := record.ms.get(name)) is not None]
