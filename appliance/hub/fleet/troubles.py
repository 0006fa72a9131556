"""In: a device. Out: what is wrong with it, the gravest first, in sentences with a remedy."""

from __future__ import annotations

from appliance.events import Hearing
from appliance.hub.fleet.device import Device
from appliance.hub.fleet.view import Remedy, Trouble
from appliance.telemetry.metrics.budget import Severity

REFUSED_S = 300.0
"""A damaged message is told for this long."""
RESTART = {name: Remedy(f"Restart {name}", "restart_engine", {"engine": name}) for name in ("sound", "stt", "tts")}
_ENGINES = {"sound": "ear", "stt": "recogniser", "tts": "voice"}


def troubles(device: Device, now_s: float, now_monotonic_s: float) -> tuple[Trouble, ...]:
    """`now_s`: Unix time, `now_monotonic_s`: the same moment by the clock of floods and doubles."""
    found: list[Trouble] = []
    boot_s = now_s - now_monotonic_s
    if device.silent_s is not None:
        found.append(Trouble("silent", Severity.P0, "Says nothing", device.silent_s,
                             "Look whether it has power and network."))  # fmt: skip
    elif device.available is False:
        since_s = device.gone_s if device.gone_s is not None else device.first_s
        found.append(Trouble("offline", Severity.P0, "Offline", since_s, "Look whether it has power and network."))
    if device.numbering.double_s is not None:
        found.append(Trouble("duplicate", Severity.P1, "Two devices use this name", device.numbering.double_s + boot_s,
                             "Give one of them another `device.id`."))  # fmt: skip
    if device.flood.since_s is not None:
        found.append(Trouble("flood", Severity.P1, f"Floods the broker: {device.dropped} messages thrown away",
                             device.flood.since_s + boot_s, "Restart it, and send a support bundle."))  # fmt: skip
    found += _said(device)
    if device.schema_s is not None:
        newer = (device.schema or 0) > 1
        found.append(Trouble("schema", Severity.P2, f"Speaks message version {device.schema}; the hub knows 1",
                             device.schema_s, "Update the hub." if newer else "Update the device."))  # fmt: skip
    elif device.refusal is not None and now_s - device.refusal_s < REFUSED_S:
        found.append(Trouble("damaged", Severity.P3, "Sends damaged messages", device.refusal_s, device.refusal))
    if (skew_s := device.skew.seconds) is not None:
        way = "ahead" if skew_s > 0 else "behind"
        found.append(Trouble("clock", Severity.P2, f"Its clock is {_span(abs(skew_s))} {way}", device.first_s,
                             "Let it reach a time server (`timedatectl`)."))  # fmt: skip
    return tuple(sorted(found, key=lambda trouble: (trouble.severity.value, trouble.since_s)))


def _said(device: Device) -> list[Trouble]:
    """What the device says of itself."""
    found: list[Trouble] = []
    state = device.state
    if state is not None and state.hearing is Hearing.DEAF:
        reason = f": {state.deaf_reason}" if state.deaf_reason else ""
        found.append(Trouble("deaf", Severity.P0, f"Microphone gives no sound{reason}", device.deaf_s or device.first_s,
                             "Restart the ear; then `appliance doctor` on the device.", RESTART["sound"]))  # fmt: skip
    if device.metrics is not None:
        for name, engine in device.metrics.engines.items():
            if not engine.ready:
                found.append(Trouble("engine", Severity.P1, f"The {_ENGINES.get(name, name)} does not answer",
                                     device.engines_s.get(name, device.first_s), "Restart it.",
                                     RESTART.get(name)))  # fmt: skip
    deaf = bool(found) and found[0].kind == "deaf"
    for name, held in device.alerts.items():
        if deaf and name == "deaf_s":
            continue
        alert = held.body
        value = f"{alert.value:.4g} {alert.unit}".strip()
        limit = f"{alert.budget.target:.4g} {alert.unit}".strip()
        found.append(Trouble("alert", alert.severity, f"{name.replace('_', ' ')}: {value} (budget {limit})",
                             held.since_s, alert.remedy, None, name))  # fmt: skip
    return found


def _span(seconds: float) -> str:
    """`40 s`, `7 min`, `3 h`, `12 d`."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
