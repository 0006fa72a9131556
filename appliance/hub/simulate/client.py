"""In: a simulated device. Out: its MQTT client: real connection, last will, commands answered. Driven by an outside loop."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.errors import UsageError
from appliance.events import Hearing
from appliance.hub.reception.url import BrokerUrl
from appliance.hub.simulate.device import SimulatedDevice
from appliance.telemetry.commands.schema import (
    Command,
    Mute,
    RestartEngine,
    SelfTest,
    Stop,
    TimerSet,
    Unmute,
    Volume,
    parse,
    request_id,
)
from appliance.telemetry.mqtt.topics import Topics

KEEPALIVE_S = 60


class Client:
    """One device at the broker."""

    def __init__(self, device: SimulatedDevice, url: BrokerUrl, prefix: str, sent: Counter[str]) -> None:
        """`sent` counts what the broker took, by kind."""
        self.device = device
        self.topics = Topics(prefix, device.id)
        self.connected = False
        self.lives = False
        """Whether its messages are under way, over reconnections."""
        self.sent = sent
        self._flying: dict[int, str] = {}
        self._url = url
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2, f"{prefix}-{device.id}-{device.run}", protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )  # fmt: skip
        if url.user is not None:
            self.paho.username_pw_set(device.id, url.password)
        if (context := url.tls_context()) is not None:
            self.paho.tls_set_context(context)
        self.paho.will_set(self.topics.of("availability"), b"offline", qos=1, retain=True)
        self.paho.on_connect = self._on_connect
        self.paho.on_message = self._on_message
        self.paho.on_publish = self._on_publish
        self.paho.on_disconnect = self._on_disconnect

    def dial(self) -> None:
        """Opens the connection. Blocks until TCP is there. Raises OSError."""
        self._flying.clear()
        self.paho.connect(self._url.host, self._url.port, KEEPALIVE_S, clean_start=True)

    def publish(self, kind: str, name: str, body: dict[str, Any] | None, retain: bool = False) -> None:
        """A message of this device, QoS 1 as the real one's; None takes a retained one back."""
        if not self.connected:
            return
        payload = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        info = self.paho.publish(self.topics.of(name), payload, qos=1, retain=retain)
        if info.rc == paho.MQTT_ERR_SUCCESS:
            self._flying[info.mid] = kind

    def goodbye(self) -> None:
        """As a device that is switched off in order."""
        if self.connected:
            self.paho.publish(self.topics.of("availability"), b"offline", qos=1, retain=True)
            self.paho.disconnect()

    def _on_connect(self, client: paho.Client, _user: Any, _flags: Any, reason: Any, _properties: Any = None) -> None:
        if reason.is_failure:
            self.sent["refused connections"] += 1
            return
        self.connected = True
        client.subscribe(self.topics.commands, 1)
        client.publish(self.topics.of("availability"), b"online", qos=1, retain=True)
        self.publish("info", "info", self.device.info(), retain=True)
        self.publish("state", "state", self.device.state(), retain=True)

    def _on_disconnect(self, *_: Any) -> None:
        self.connected = False

    def _on_publish(self, _client: Any, _user: Any, mid: int, *_: Any) -> None:
        if (kind := self._flying.pop(mid, None)) is not None:
            self.sent[kind] += 1

    def _on_message(self, client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
        """A command, read by the device's own parser and answered as the device answers."""
        if message.retain:
            return
        name = message.topic.rpartition("/")[2]
        body: dict[str, Any] = {"command": name, "ok": True, "result": None, "error": None}
        try:
            command = parse(name, bytes(message.payload))
            body |= {"result": self._do(command), "request_id": command.request_id}
        except UsageError as error:
            said = {"code": error.code, "message": error.message}
            body |= {"ok": False, "error": said, "request_id": request_id(bytes(message.payload))}
        own = self.topics.of("reply")
        wanted = getattr(message.properties, "ResponseTopic", None)
        more = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if (correlation := getattr(message.properties, "CorrelationData", None)) is not None:
            more.CorrelationData = correlation
        topic = wanted if wanted and wanted.startswith(f"{own}/") else own
        answer = {"v": 1, "at": round(time.time(), 3), **body}
        client.publish(topic, json.dumps(answer).encode(), qos=1, properties=more)
        self.publish("state", "state", self.device.state(), retain=True)

    def _do(self, command: Command) -> dict[str, Any]:
        device = self.device
        match command:
            case Mute():
                device.is_muted = command.muted
                return {"muted": command.muted}
            case Unmute():
                device.is_muted = False
                return {"muted": False}
            case Volume():
                device.volume = command.percent
                return {"percent": command.percent}
            case SelfTest():
                return {"checks": {"microphone": device.hearing()[0] is not Hearing.DEAF, "voice": True, "leds": True}}
            case RestartEngine():
                device.restarts[command.engine] += 1
                device.healed |= command.engine == "sound"
                return {"engine": command.engine}
            case Stop():
                return {"stopped": False}
            case TimerSet():
                return {"timer": "t1"}
        return {}
