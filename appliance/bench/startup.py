"""In: the settings. Out: how long the real program takes from exec to READY=1, and each child to its socket."""

from __future__ import annotations

import time
from typing import Any

from appliance.bench.percentile import percentile
from appliance.bench.program import CHILDREN, program
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult

RUNS = 5
ENOUGH_S = 60.0
"""No further run begins after this time."""


def run(request: Request) -> SuiteResult:
    """Medians over RUNS starts, one after the other. Raises ApplianceError where the program does not start."""
    started_s = time.monotonic()
    details: list[dict[str, Any]] = []
    wanted = request.limit or RUNS
    while len(details) < wanted and (not details or time.monotonic() - started_s < ENOUGH_S):
        request.progress(len(details), wanted, "start")
        with program(request) as up:
            times = {f"{child}_s": up.child_s.get(child) for child in CHILDREN}
            details.append({"ready_s": up.ready_s, **times, "status": up.status})
    names = ("ready_s", *(f"{child}_s" for child in CHILDREN))
    measures = {f"startup.{name}": _median(details, name) for name in names}
    return SuiteResult("startup", len(details), measures, details, _notes(details, measures))


def _median(details: list[dict[str, Any]], name: str) -> float | None:
    median = percentile([row[name] for row in details if row[name] is not None], 50)
    return None if median is None else round(median, 3)


def _notes(details: list[dict[str, Any]], measures: dict[str, float | None]) -> tuple[str, ...]:
    notes = [f"Models were checked before; the first of {len(details)} starts took {details[0]['ready_s']:.2f} s."]
    notes += [f"The program called itself '{status}'." for status in sorted({d["status"] for d in details} - {"ready"})]
    notes += [f"{name}: null, the child is supervised elsewhere or did not come up." for name, value in measures.items()
              if value is None]  # fmt: skip
    return tuple(notes)
