"""In: a broker on loopback. Out: a home server there that does everything it is asked for at once."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from appliance.settings import Settings
from appliance.sim.broker import VirtualBroker

CONNECT_S = 5


class LoopbackHome:
    """`with LoopbackHome() as home:` starts and ends broker and server. `settings` connect a device to it."""

    def __init__(self) -> None:
        self._broker = VirtualBroker()
        self._client: Any = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._answer
        self.asked = 0

    def __enter__(self) -> Self:
        """Raises DeviceError where mosquitto is missing or does not start."""
        self._broker.__enter__()
        self._client.connect("127.0.0.1", self._broker.port, CONNECT_S * 10)
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._broker.__exit__(kind, error, trace)

    def settings(self, settings: Settings) -> Settings:
        """As `settings`, with this home server; it announces itself to whom they name."""
        telemetry = settings.telemetry
        update = {"host": "127.0.0.1", "port": self._broker.port, "tls": False}
        mine = telemetry.model_copy(update={"mqtt": telemetry.mqtt.model_copy(update=update)})
        prefix = mine.mqtt.prefix
        self._client.subscribe(f"{prefix}/+/home/request", 1)
        self._client.publish(f"{prefix}/home/availability", "online", 1, retain=True)
        return settings.model_copy(update={"telemetry": mine})

    def _answer(self, client: Any, data: Any, message: Any) -> None:
        self.asked += 1
        request = json.loads(message.payload)
        client.publish(request["reply_to"], json.dumps({"v": 1, "id": request["id"], "ok": True, "reply": ""}), 1)
