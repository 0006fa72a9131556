"""In: a device. Out: its card: everything that is shown of it at a glance."""

from __future__ import annotations

from appliance.hub.fleet.device import Device
from appliance.hub.fleet.troubles import troubles
from appliance.hub.fleet.view import Condition, DeviceView, Light, Trouble
from appliance.hub.reception.messages import MetricsBody
from appliance.telemetry.metrics.budget import Budget
from appliance.telemetry.metrics.budgets import BUDGETS
from appliance.telemetry.metrics.faults import FAULTS

WATCHED: dict[str, Budget] = {budget.name: budget for budget in BUDGETS + FAULTS}


def draw(device: Device, now_s: float, now_monotonic_s: float, today: int) -> DeviceView:
    """The card at `now_s` (Unix time)."""
    info, state, metrics = device.info, device.state, device.metrics
    wrong = troubles(device, now_s, now_monotonic_s)
    response = metrics.ms.get("response") if metrics else None
    processes = list(metrics.processes.values()) if metrics else []
    cpu = [use.cpu_ratio for use in processes if use.cpu_ratio is not None]
    memory = [use.pss_mb if use.pss_mb is not None else use.rss_mb for use in processes]
    return DeviceView(
        id=device.id, number=device.number,
        name=info.name if info else device.id, area=info.area if info else None,
        board=info.board if info else None, version=info.version if info else None,
        language=info.language if info else None, wake_words=tuple(info.wake_words) if info else (),
        condition=_condition(device, wrong),
        state=state.state.value if state else None, hearing=state.hearing.value if state else None,
        deaf_reason=state.deaf_reason if state else None, muted=state.muted if state else None,
        volume_percent=state.volume_percent if state else None,
        heard_s=device.heard_s, silent_since_s=device.silent_s, interval_s=device.interval_s,
        skew_s=device.skew.seconds,
        response_ms=response.p50 if response else None, response_p95_ms=response.p95 if response else None,
        spark=tuple(device.dots()), turns_today=device.today if device.day == today else 0,
        turns_total=metrics.turns.total if metrics else None,
        cpu_ratio=round(sum(cpu), 4) if cpu else None, memory_mb=round(sum(memory), 1) if memory else None,
        temperature_c=metrics.board.temperature_c if metrics else None,
        wifi_dbm=metrics.board.wifi_dbm if metrics else None,
        lights=lights(metrics), troubles=wrong,
        received=device.received, gaps=device.numbering.lost, refused=device.refused, dropped=device.dropped,
    )  # fmt: skip


def lights(metrics: MetricsBody | None) -> tuple[Light, ...]:
    """Every judged measure that is known, with its verdict."""
    if metrics is None:
        return ()
    found = []
    for name, value in metrics.measures.items():
        budget = WATCHED.get(name)
        if value is not None and budget is not None:
            found.append(Light(name, budget.verdict(value), value, budget.unit, budget.target))
    return tuple(found)


def _condition(device: Device, wrong: tuple[Trouble, ...]) -> Condition:
    kinds = {trouble.kind for trouble in wrong}
    if "silent" in kinds:
        return Condition.SILENT
    if "offline" in kinds:
        return Condition.OFFLINE
    if wrong:
        return Condition.SICK
    return Condition.UNKNOWN if device.heard_s is None else Condition.WELL
