"""In: nothing. Out: conditions that are alerts though MEASURES has no budget for them; the same shape as budgets."""

from __future__ import annotations

from appliance.telemetry.metrics.budget import Budget, Rule

FAULTS: tuple[Budget, ...] = (
    Budget(
        name="deaf_s", unit="s", target=2, warning=5, critical=10, rule=Rule.VITAL,
        remedy="See `appliance doctor`: the microphone gives no sound though it is not muted.",
    ),
    Budget(
        name="engines_down", unit="", target=0, critical=2, rule=Rule.VITAL,
        remedy="See `appliance status` for the engine that keeps failing and its last words.",
    ),
    Budget(
        # The Pi 5 firmware slows down softly at 80 °C and hard at 85 °C (raspberrypi.com, "Frequency management").
        name="temperature_c", unit="°C", target=75, warning=80, critical=85,
        remedy="Give the board a fan or a cooler place.",
    ),
    Budget(name="undervoltage", unit="", target=0, remedy="Use a power supply of 5.1 V and 5 A, and a short cable."),
    Budget(name="throttled", unit="", target=0, remedy="Cool the board, or use a stronger power supply."),
    Budget(name="agreed_ms", unit="ms", target=150, warning=300, critical=500,
           remedy="Claims of other devices come late: give broker and devices a better network, without power saving."),
    Budget(name="messages_dropped_per_hour", unit="1/h", target=0,
           remedy="The broker was away for too long: raise `telemetry.mqtt.kept_messages`, or see to the broker."),
)  # fmt: skip
