"""In: the broker's address. Out: its messages in the inbox, commands to devices, and how the connection stands."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.errors import ApplianceError
from appliance.hub.reception.address import RETAINED, STREAMS
from appliance.hub.reception.inbox import Inbox, Received
from appliance.hub.reception.url import BrokerUrl

log = logging.getLogger(__name__)

LARGEST_BYTES = 256 * 1024
SESSION_S = 3600
"""So long the broker keeps turns and alerts for a hub that is away."""
RECEIVE_MAXIMUM = 1000
"""Unacknowledged QoS 1 messages that the broker may send at once, where its own limit allows so many."""
MQTT_PENDING = 1000
"""Commands waiting for the broker; more are refused."""
SYS = {
    "$SYS/broker/publish/messages/dropped": "dropped",
    "$SYS/broker/retained messages/count": "retained",
    "$SYS/broker/clients/connected": "clients",
    "$SYS/broker/version": "version",
}


class BrokerError(ApplianceError, OSError):
    """The broker is away, or does not take a command."""


@dataclass(slots=True)
class Standing:
    """How the connection stands; read from any thread."""

    connected: bool = False
    since_s: float = 0.0
    """Of being connected or not, Unix time."""
    trouble: str | None = "not connected yet"
    connections: int = 0
    retained: int = 0
    """Retained messages received since the connection."""
    dropped: int | None = None
    """Messages that the broker threw away since this connection, for any client (`$SYS`)."""
    broker_retained: int | None = None
    """Retained messages that the broker holds, its own included."""
    clients: int | None = None
    version: str | None = None


class Broker:
    """The connection. Callbacks run on paho's thread and only enqueue."""

    def __init__(
        self, url: BrokerUrl, prefix: str, client_id: str, inbox: Inbox, share: str | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`share`: name of the group of hubs that share the streams; None: this hub hears all. `changed` is called on
        paho's thread whenever the standing does."""
        self.standing = Standing(since_s=time.time())
        self.prefix = prefix
        self._url, self._inbox, self._share, self._changed = url, inbox, share, changed
        self._dropped_before: int | None = None
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        client.max_queued_messages_set(MQTT_PENDING)
        client.reconnect_delay_set(1, 15)
        if url.user is not None:
            client.username_pw_set(url.user, url.password)
        if (context := url.tls_context()) is not None:
            client.tls_set_context(context)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_connect_fail = self._failed
        client.on_message = self._message
        self._client = client

    def start(self) -> None:
        """Dials in the background, again and again."""
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval = SESSION_S
        session.MaximumPacketSize = LARGEST_BYTES
        session.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(self._url.host, self._url.port, 20, clean_start=False, properties=session)
        self._client.loop_start()

    def stop(self) -> None:
        """Says goodbye. Blocks for a moment: for a thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, response_topic: str, correlation: bytes) -> None:
        """A command, QoS 1. Raises BrokerError where it cannot go out now: a late command is worse than none."""
        if not self.standing.connected:
            raise BrokerError("no-broker", "The broker is away: nothing was sent.")
        more = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        more.ResponseTopic, more.CorrelationData = response_topic, correlation
        more.MessageExpiryInterval = 30
        info = self._client.publish(topic, payload, qos=1, properties=more)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise BrokerError("not-sent", "The broker did not take the command.")

    # -- paho's thread --------------------------------------------------------------------------------------------

    def _connected(
        self, client: paho.Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any = None
    ) -> None:
        if reason.is_failure:
            self._trouble(f"the broker refuses: {reason}")
            return
        self._dropped_before = None
        self.standing = Standing(True, time.time(), None, self.standing.connections + 1)
        log.info("mqtt: connected to %s:%d", self._url.host, self._url.port)
        share = f"$share/{self._share}/" if self._share else ""
        base = f"{self.prefix}/+/"
        # Metrics come again: QoS 0 lets a broker under load drop them first, and keeps none while the hub is away.
        client.subscribe(
            [(f"{share}{base}{name}", 0 if name == "metrics" else 1) for name in STREAMS]
            + [(f"{base}{name}", 1) for name in RETAINED]
            + [(f"{base}reply/#", 1)]
            + [(topic, 0) for topic in SYS]
        )
        self._changed()

    def _disconnected(self, _client: Any, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any = None) -> None:
        self._trouble(f"connection lost: {reason}")

    def _failed(self, _client: paho.Client, _user: Any) -> None:
        self._trouble(f"cannot reach {self._url.host}:{self._url.port}")

    def _trouble(self, sentence: str) -> None:
        before = self.standing
        if before.trouble != sentence:
            log.warning("mqtt: %s", sentence)
        since_s = time.time() if before.connected else before.since_s
        self.standing = Standing(False, since_s, sentence, before.connections)
        self._changed()

    def _message(self, _client: Any, _user: Any, message: paho.MQTTMessage) -> None:
        topic = message.topic
        if topic.startswith("$"):
            self._system(topic, bytes(message.payload))
            return
        if message.retain:
            self.standing.retained += 1
        correlation = getattr(message.properties, "CorrelationData", None) if "/reply" in topic else None
        self._inbox.put(Received(topic, bytes(message.payload), message.retain, time.monotonic_ns(), correlation))

    def _system(self, topic: str, payload: bytes) -> None:
        """What the broker says of itself. Other brokers say nothing: None stays."""
        name, text = SYS.get(topic), payload[:64].decode("utf-8", "replace")
        if name == "version":
            self.standing.version = text
        elif text.isdigit():
            if name == "dropped":
                self._dropped_before = int(text) if self._dropped_before is None else self._dropped_before
                self.standing.dropped = max(0, int(text) - self._dropped_before)
            elif name == "retained":
                self.standing.broker_retained = int(text)
            elif name == "clients":
                self.standing.clients = int(text)
