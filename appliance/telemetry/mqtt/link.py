"""In: settings of the broker. Out: a connection that is made again and again, and what comes and goes over it.

paho's client is driven by the event loop (its socket is watched, nothing waits on it); only dialling blocks (telemetry.dial).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from appliance.errors import SettingsError
from appliance.settings.telemetry import MqttSettings
from appliance.telemetry.metrics.meter import Cost, Traffic
from appliance.telemetry.mqtt.backoff import Backoff
from appliance.telemetry.mqtt.dial import LARGEST_BYTES, Will, dial, new_client, properties
from appliance.telemetry.mqtt.incoming import Incoming
from appliance.telemetry.mqtt.secrets import refusal, why
from appliance.telemetry.mqtt.sockets import drive, forget

log = logging.getLogger(__name__)

MISC_S = 1.0
"""How often keep-alives are looked at; paho's own pace."""


class Refused(Exception):
    """The broker answered, and said no."""


class Link:
    """One device's connection. `run` is its life; the callbacks are called in the event loop and must be quick."""

    def __init__(self, settings: MqttSettings, device: str, client_id: str, will: Will | None) -> None:
        self._settings = settings
        self._device = device
        self._client_id = client_id
        self._will = will
        self._client: paho.Client | None = None
        self._ended: asyncio.Future[None] | None = None
        self._welcome: asyncio.Future[None] | None = None
        self._backoff = Backoff(settings.backoff_first_s, settings.backoff_most_s)
        self._leaving = False
        self.connected = False
        self.trouble: str | None = "Not connected yet." if settings.host else None
        """Why there is no connection; None while there is one, or where none is wanted."""
        self.counters: Counter[str] = Counter()
        """connects, failures, refused_publishes, too_large."""
        self.traffic = Traffic()
        self.cost = Cost()
        """CPU time of everything that telemetry does in the event loop; whoever works for it counts here."""
        self._said = ""
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self.on_message: Callable[[Incoming], None] = lambda incoming: None
        self.on_taken: Callable[[int], None] = lambda mid: None
        """The broker is done with the message of that id, be it that it took or that it refused it."""

    # -- the connection's life ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connects, and connects again with full-jitter back-off, until cancelled or after `leave`."""
        self._leaving = False
        while True:
            started_s = time.monotonic()
            try:
                await self._live()
            except (OSError, Refused, SettingsError, ValueError) as error:
                if self._leaving:
                    return
                self._fail(why(error) if isinstance(error, OSError) else str(error))
            finally:
                self._down()
            await asyncio.sleep(self._backoff.wait_s(time.monotonic() - started_s))

    def _fail(self, sentence: str) -> None:
        self.counters["failures"] += 1
        if sentence != self.trouble:
            log.warning("mqtt: %s Trying again.", sentence)
        self.trouble = sentence

    async def _live(self) -> None:
        """One connection, from dialling to its end. Raises what ended it."""
        loop = asyncio.get_running_loop()
        self._ended, self._welcome = loop.create_future(), loop.create_future()
        self._said = ""
        client = new_client(self._settings, self._device, self._client_id, self._will)
        async with asyncio.timeout(self._settings.connect_timeout_s):
            client.on_log, client.on_socket_close = self._logged, self._last_words
            await dial(client, self._settings)
            self._client = client
            self._attach(client, loop)
            await asyncio.wait((self._welcome, self._ended), return_when=asyncio.FIRST_COMPLETED)
            for future in (self._welcome, self._ended):
                if future.done():
                    future.result()
        self.connected, self.trouble = True, None
        self.counters["connects"] += 1
        log.info("mqtt: connected to %s:%d", self._settings.host, self._settings.port)
        self.on_up()
        while not self._ended.done():
            with self.cost:
                self.traffic.look(client.socket())
                client.loop_misc()
            await asyncio.wait((self._ended,), timeout=MISC_S)
        self._ended.result()

    def _attach(self, client: paho.Client, loop: asyncio.AbstractEventLoop) -> None:
        sock = client.socket()
        if sock is None:
            raise ConnectionResetError(refusal(self._said) or "closed while connecting")
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_publish = self._published
        client.on_socket_close = lambda *_: self._closing(loop, sock)
        drive(client, sock, loop, self.cost)

    def _down(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self.traffic.look(client.socket())
            client._sock_close()
        self.traffic.ended()
        for future in (self._ended, self._welcome):
            if future is not None and future.done() and not future.cancelled():
                future.exception()  # it was judged, or the other one ended the connection first
        if self.connected:
            self.connected = False
            self.on_down()

    # -- paho's callbacks -----------------------------------------------------------------------------------------

    def _connected(self, client: paho.Client, userdata: Any, flags: Any, code: ReasonCode, more: Any) -> None:
        if self._welcome is None or self._welcome.done():
            return
        if code.is_failure:
            self._welcome.set_exception(Refused(f"The broker refuses this device: {str(code).lower()}."))
        else:
            self._welcome.set_result(None)

    def _disconnected(self, client: paho.Client, userdata: Any, flags: Any, code: ReasonCode, more: Any) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(
                ConnectionResetError(refusal(self._said) or f"connection lost: {str(code).lower()}")
            )

    def _logged(self, client: paho.Client, userdata: Any, level: int, text: str) -> None:
        """With TLS 1.3 a broker judges our certificate after the handshake: paho tells the alert only here."""
        if level == paho.MQTT_LOG_ERR:
            self._said = text

    def _last_words(self, client: paho.Client | None, userdata: Any, sock: Any) -> None:
        """A socket is given up: an alert that nobody read, because writing failed first, still lies in it."""
        try:
            sock.recv(1)
        except OSError as error:
            self._said = str(error) if refusal(str(error)) else self._said

    def _closing(self, loop: asyncio.AbstractEventLoop, sock: Any) -> None:
        forget(loop, sock)
        if not self.connected:
            self._last_words(None, None, sock)

    def _received(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        if len(message.payload) > LARGEST_BYTES:
            self.counters["too_large"] += 1
            return
        try:
            incoming = Incoming.now(message)
        except UnicodeDecodeError:  # of its topic; an exception here would have paho handle the message for ever
            self.counters["garbage"] += 1
            return
        self.on_message(incoming)

    def _published(self, client: paho.Client, userdata: Any, mid: int, code: ReasonCode, more: Any) -> None:
        if code.is_failure:
            self.counters["refused_publishes"] += 1
            if self.counters["refused_publishes"] == 1:
                log.warning("mqtt: the broker refuses a message of this device (%s): check its ACL.", str(code).lower())
        self.on_taken(mid)

    # -- sending --------------------------------------------------------------------------------------------------

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, correlation: bytes | None = None,
        response_topic: str | None = None,
    ) -> int | None:  # fmt: skip
        """Hands a message to the connection and gives its id; None without one. Never blocks."""
        if not self.connected or self._client is None:
            return None
        extra = None
        if self._settings.version == "5" and (correlation is not None or response_topic is not None):
            extra = properties(PacketTypes.PUBLISH)
            if correlation is not None:
                extra.CorrelationData = correlation
            if response_topic is not None:
                extra.ResponseTopic = response_topic
        info = self._client.publish(topic, payload, qos, retain, extra)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            return None
        return info.mid

    def subscribe(self, *filters: str) -> None:
        """Subscribes with QoS 1. A broker may deny and still say 'granted' (Mosquitto does)."""
        if self._client is not None and filters:
            self._client.subscribe([(name, 1) for name in filters])

    def unsubscribe(self, *filters: str) -> None:
        if self._client is not None and filters:
            self._client.unsubscribe(list(filters))

    def drained(self) -> bool:
        """Whether paho has nothing left to write."""
        return self._client is None or not self._client.want_write()

    def leave(self) -> None:
        """Says goodbye; the broker does not speak the last will then."""
        self._leaving = True
        if self._client is not None:
            self._client.disconnect()
