"""In: the machine's own sensors. Out: how the device is: temperature, memory, last answering time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation
from appliance.intents.replies import capital

ZONES = Path("/sys/class/thermal")
HOT_C = 80.0
"""A Raspberry Pi 5 begins to slow down here (its documentation: soft limit 80 °C)."""


def tell_status(_: Interpretation, context: SkillContext) -> Plan:
    """'I'm fine. My temperature is 52 degrees, 31 percent of my memory is in use …' What is unknown is left out."""
    say = context.replies.say
    degrees = temperature_c()
    facts = [] if degrees is None else [say("status_temperature", degrees=round(degrees))]
    facts.append(say("status_memory", percent=round(psutil.virtual_memory().percent)))
    response_ms = context.device.response_ms()
    if response_ms is not None:
        facts.append(say("status_response", ms=round(response_ms / 10) * 10))
    sentence = context.replies.join(facts)
    key = "status_hot" if degrees is not None and degrees >= HOT_C else "status_fine"
    return Plan(say(key, facts=capital(sentence)))


def temperature_c(zones: Path = ZONES) -> float | None:
    """The hottest thermal zone, °C; None where the machine has none."""
    return max(_zones(zones), default=None)


def _zones(zones: Path) -> Iterable[float]:
    for file in zones.glob("thermal_zone*/temp"):
        try:
            yield int(file.read_text(encoding="ascii")) / 1000
        except (OSError, ValueError):
            continue
