"""In: settings of the broker. Out: a client that has dialled it: name looked up, TLS agreed, CONNECT sent.

Dialling can block in name look-up and in the TLS handshake: it is done on a thread that is abandoned when its time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.settings.telemetry import MqttSettings
from appliance.telemetry.mqtt.secrets import login, tls_context

LARGEST_BYTES = 256 * 1024
"""Largest packet the broker may send us (MQTT 5 tells it so; of 3.1.1 brokers larger payloads are thrown away)."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us once we are gone."""

    topic: str
    payload: bytes


def new_client(settings: MqttSettings, device: str, client_id: str, will: Will | None) -> paho.Client:
    """A client without a past: what was under way is ours to repeat. Raises SettingsError for unusable files."""
    v5 = settings.version == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5 if v5 else paho.MQTTv311,
        clean_session=None if v5 else True, reconnect_on_failure=False,
    )  # fmt: skip
    client.connect_timeout = settings.connect_timeout_s
    user, password = login(settings, device)
    if user is not None:
        client.username_pw_set(user, password)
    if (context := tls_context(settings)) is not None:
        client.tls_set_context(context)
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    return client


async def dial(client: paho.Client, settings: MqttSettings) -> None:
    """Connects on a daemon thread: a name look-up that hangs holds up neither the loop nor the program's end."""
    loop = asyncio.get_running_loop()
    dialled: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if dialled.done():
            client._sock_close()
        elif error is not None:
            dialled.set_exception(error)
        else:
            dialled.set_result(None)

    def work() -> None:
        error: BaseException | None = None
        try:
            client.connect(
                str(settings.host), settings.port, settings.keepalive_s,
                properties=_connect_properties(settings),
                clean_start=True if settings.version == "5" else paho.MQTT_CLEAN_START_FIRST_ONLY,
            )  # fmt: skip
        except Exception as failure:  # noqa: BLE001 - handed over to the loop, which judges it
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=work, name="mqtt-dial", daemon=True).start()
    await dialled


def _connect_properties(settings: MqttSettings) -> Properties | None:
    if settings.version != "5":
        return None
    found = properties(PacketTypes.CONNECT)
    found.MaximumPacketSize = LARGEST_BYTES
    return found


def properties(kind: int) -> Properties:
    return Properties(kind)  # type: ignore[no-untyped-call]
