"""In: the device's states and facts. Out: what stands on the broker, retained: info, discovery, state."""

from __future__ import annotations

import asyncio

from appliance.events import State, StateChanged
from appliance.settings.device import DeviceSettings
from appliance.telemetry.device import Source
from appliance.telemetry.metrics import board_sensors as board
from appliance.telemetry.metrics.alerts import Alerts
from appliance.telemetry.metrics.meter import Cost
from appliance.telemetry.metrics.windows import Turns
from appliance.telemetry.mqtt.delivery import Delivery
from appliance.telemetry.mqtt.discovery import device_message
from appliance.telemetry.mqtt.messages import state_body

STATE_SETTLE_S = 0.05
"""States that change together (thinking off, replying on) make one message."""


class Shown:
    """Three messages of one device. For the event loop's thread."""

    def __init__(
        self, device: DeviceSettings, source: Source, turns: Turns, alerts: Alerts, delivery: Delivery, cost: Cost
    ) -> None:
        """`cost` counts what showing takes."""
        self._device = device
        self._source = source
        self._turns = turns
        self._alerts = alerts
        self._delivery = delivery
        self._states: set[State] = set()
        self._due: asyncio.TimerHandle | None = None
        self._cost = cost

    def facts(self, run: str, roots: board.Roots, discovery: bool) -> None:
        """What seldom changes: info, discovery; and the state. Reads some small files."""
        about, topics = self._source.about(), self._delivery.topics
        body = {"v": 1, "device": self._device.id, "run": run, "board": board.model(roots)}
        self._delivery.show(topics.of("info"), {**body, **about})
        message = device_message(topics, self._device, about) if discovery else None
        self._delivery.show(topics.discovery, message)
        self.state_soon()

    def changed(self, event: StateChanged) -> None:
        """A state began or ended."""
        (self._states.add if event.on else self._states.discard)(event.state)
        self.state_soon()

    def state_soon(self) -> None:
        """Shows the state once it has settled."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(STATE_SETTLE_S, self._state)

    def close(self) -> None:
        """Shows nothing more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _state(self) -> None:
        self._due = None
        with self._cost:
            body = state_body(self._source, self._states, self._turns, self._alerts.holding())
            self._delivery.show(self._delivery.topics.of("state"), {"v": 1, **body})
