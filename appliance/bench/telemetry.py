"""In: a quiet room for some seconds, a broker of its own. Out: what telemetry itself takes: CPU time, bytes on the wire.

The device counts both itself (telemetry.meter: CPU of every piece of its work, the kernel's count of the broker's socket)
and tells them in `metrics`; here the difference between the first and the last message is taken.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.bench.program import program
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.sim.broker import VirtualBroker

SECONDS = 120.0
SETTLE_S = 30.0
"""The start is over then: connection, facts, discovery."""


def run(request: Request) -> SuiteResult:
    """Watches `--seconds` with the interval that is set. Raises ApplianceError where program or broker do not start."""
    seconds = request.seconds or SECONDS
    interval_s = request.settings.telemetry.metrics_interval_s
    with VirtualBroker() as broker:
        own = (*broker.assignments, f"telemetry.metrics_interval_s={interval_s}", "device.id=bench")
        given = tuple(part for name in own for part in ("--set", name))
        with program(replace(request, run_arguments=(*request.run_arguments, *given))):
            _wait(request, SETTLE_S, "the start")
            _wait(request, seconds + interval_s, "a quiet room")
        told = broker.bodies("bench/metrics")
    return _result([body for body in told if body["at"] >= told[0]["at"] + SETTLE_S], interval_s)


def _wait(request: Request, seconds: float, what: str) -> None:
    started_s = time.monotonic()
    while (gone_s := time.monotonic() - started_s) < seconds:
        request.progress(int(gone_s), int(seconds), what)
        time.sleep(min(1.0, seconds - gone_s))


def _result(told: list[dict[str, Any]], interval_s: float) -> SuiteResult:
    """Between the first and the last of the messages."""
    span_s = told[-1]["at"] - told[0]["at"] if len(told) > 1 else 0.0
    notes = [f"{len(told)} metrics messages, one every {interval_s:g} s; a quiet room, no turns."]
    if not span_s:
        return SuiteResult("telemetry", 0, dict.fromkeys(MEASURES), [], (*notes, "Nothing came: all null."))
    first, last = told[0]["mqtt"], told[-1]["mqtt"]
    rates = {name: (last[name] - first[name]) / span_s for name in ("telemetry_cpu_s", "bytes_in", "bytes_out")}
    whole = [_cpu(body["processes"]) for body in told]
    measures: dict[str, float | None] = {
        "telemetry.cpu_ratio": round(rates["telemetry_cpu_s"], 5),
        "telemetry.kbit_s": round((rates["bytes_in"] + rates["bytes_out"]) * 8 / 1000, 3),
        "telemetry.kbit_s.out": round(rates["bytes_out"] * 8 / 1000, 3),
        "telemetry.share_of_program": round(rates["telemetry_cpu_s"] / (sum(whole) / len(whole)), 4),
    }
    return SuiteResult("telemetry", round(span_s), measures, [], tuple(notes))


MEASURES = ("telemetry.cpu_ratio", "telemetry.kbit_s", "telemetry.kbit_s.out", "telemetry.share_of_program")


def _cpu(processes: Mapping[str, Mapping[str, Any]]) -> float:
    return sum(use["cpu_ratio"] or 0.0 for use in processes.values()) or 1e-9
