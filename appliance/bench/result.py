"""In: what a suite measured. Out: one value that the command line prints and reports draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The outcome of one suite."""

    suite: str
    n: int
    """Recordings, turns or repetitions that were measured."""
    measures: dict[str, float | None]
    """Name → value; None where it could not be measured, with the reason in `notes`."""
    details: list[dict[str, Any]] = field(default_factory=list)
    """One entry a recording or repetition, for pictures."""
    notes: tuple[str, ...] = ()
    """Sentences for people: why a measure is None, under which conditions the figures hold."""
    variant: str = ""
    """The kind of data where budgets differ by it (`coffee`, `noise`); empty elsewhere."""

    @property
    def title(self) -> str:
        """The suite's name, and the kind of data where that matters."""
        return f"{self.suite} ({self.variant})" if self.variant else self.suite
