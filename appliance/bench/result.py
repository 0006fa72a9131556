"""In: what a suite measured. Out: the same as one object, ready to be judged, printed and drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One run of one suite."""

    suite: str
    n: int
    """Recordings, sentences, turns or runs that the measures stand on."""
    measures: dict[str, float | None]
    """Full name (`wake.miss_rate`, `latency.response_ms.p95`) → value; None where it could not be measured."""
    details: list[dict[str, Any]] = field(default_factory=list)
    """One JSON-able object for each thing measured, for the report's pictures and tables."""
    notes: tuple[str, ...] = ()
    """Sentences for people: why a measure is None, under which conditions the figures hold."""
    variant: str = ""
    """The kind of data where budgets differ by it (`coffee`, `home`); empty elsewhere."""
