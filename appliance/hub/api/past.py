"""In: the history. Out: a device's charts, turns and time line; budgets kept; who differs; the commands that were given."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from appliance.errors import UsageError
from appliance.hub.api.answers import answer, refused
from appliance.hub.fleet.card import WATCHED
from appliance.hub.fleet.device import Device
from appliance.hub.fleet.fleet import UnknownDeviceError
from appliance.hub.fleet.likeness import outliers
from appliance.hub.fleet.spread import histogram, shares

if TYPE_CHECKING:
    from appliance.hub.app import Hub

MOST_COLUMNS = 20
LONGEST_S = 3 * 366 * 86400.0
JUDGED_AS = {
    "response.p50": "response_ms", "response.p95": "response_p95_ms", "temperature": "temperature_c",
    "cpu": "cpu_idle_ratio", "memory": "memory_peak_mb",
}  # fmt: skip
"""Columns that are kept under another name than their budget's."""


def routes(hub: Hub) -> list[BaseRoute]:
    """What was. Questions to the disk run on a thread."""

    async def device(request: Request) -> Response:
        name = request.path_params["device"]
        try:
            known = hub.fleet.device(name)
        except UnknownDeviceError as error:
            return refused(error, 404)
        turns, line = await asyncio.to_thread(lambda: (hub.reader.turns(name), hub.reader.timeline(name)))
        return answer({"turns": turns, "timeline": line, **_now(known)})

    async def series(request: Request) -> Response:
        try:
            names, from_s, to_s, points = _asked(request)
        except UsageError as error:
            return refused(error, 400)
        found = await asyncio.to_thread(hub.reader.series, request.path_params["device"], names, from_s, to_s, points)
        budgets = {name: _limits(name) for name in names if _limits(name) is not None}
        return answer({"t": found.t, "series": found.series, "grain": found.grain, "budgets": budgets})

    async def fleet(_request: Request) -> Response:
        kept = await asyncio.to_thread(hub.reader.kept)
        devices = list(hub.fleet)
        return answer(
            {
                "response": histogram(devices),
                "kept": kept,
                "versions": shares(device.info.version if device.info else "unknown" for device in devices),
                "boards": shares((device.info.board if device.info else None) or "unknown" for device in devices),
                "outliers": outliers(devices),
                "hub": {
                    "devices": len(devices),
                    "updates_per_s": hub.fleet.summary().updates_per_s,
                    "history": hub.status()["history"],
                },
            }
        )

    async def audit(request: Request) -> Response:
        most = request.query_params.get("limit", "100")
        return answer(await asyncio.to_thread(hub.reader.audit, int(most) if most.isdigit() and len(most) < 5 else 100))

    return [
        Route("/api/devices/{device}/past", device),
        Route("/api/devices/{device}/series", series),
        Route("/api/fleet", fleet),
        Route("/api/audit", audit),
    ]


def _asked(request: Request) -> tuple[list[str], float, float, int]:
    """Columns, from, to (Unix seconds), points. Raises UsageError."""
    query = request.query_params
    names = [name for name in query.get("names", "").split(",") if name][:MOST_COLUMNS]
    now_s = time.time()
    try:
        to_s = float(query.get("to", now_s))
        from_s = float(query.get("from", to_s - 3600.0))
        points = int(query.get("points", 400))
    except ValueError as error:
        raise UsageError("bad-time", "from, to and points take numbers.") from error
    if not (0.0 <= from_s < to_s <= now_s + 86400.0 and to_s - from_s <= LONGEST_S):
        raise UsageError("bad-time", "from and to are no span of Unix seconds that lies in the past.")
    if not names:
        raise UsageError("no-names", "names takes the names of columns, with commas between.")
    return names, from_s, to_s, points


def _limits(name: str) -> list[float | None] | None:
    """Target, warning, critical of a column's budget; None where it has none."""
    budget = WATCHED.get(JUDGED_AS.get(name, name))
    return None if budget is None else [budget.target, budget.warning, budget.critical]


def _now(device: Device) -> dict[str, Any]:
    """Stages, engines and board of the newest metrics."""
    metrics = device.metrics
    if metrics is None:
        return {"stages": {}, "engines": {}, "board": {}}
    return {
        "stages": {name: {"p50": spread.p50, "p95": spread.p95, "p99": spread.p99, "n": spread.n}
                   for name, spread in metrics.ms.items()},
        "engines": metrics.engines,
        "board": metrics.board,
    }  # fmt: skip
