"""In: what the broker sends, and its coming and going. Out: each message at whoever it is for; answers to commands."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Container
from typing import Any

from appliance.telemetry.arbitration.claims import Claims
from appliance.telemetry.commands.commander import Commander
from appliance.telemetry.commands.schema import Answer
from appliance.telemetry.mqtt.delivery import OFFLINE, Delivery
from appliance.telemetry.mqtt.home_names import Names
from appliance.telemetry.mqtt.home_server import HomeServer
from appliance.telemetry.mqtt.incoming import Incoming
from appliance.telemetry.mqtt.link import Link

log = logging.getLogger(__name__)

ECHO_S = 5.0
"""So long after a connection our own birth must have come back."""


class Reception:
    """Sorts what comes. For the event loop's thread."""

    def __init__(
        self, link: Link, delivery: Delivery, commands: Commander, home: HomeServer, names: Names, claims: Claims,
        arbitrate: bool, holding: Callable[[], Container[str]],
    ) -> None:  # fmt: skip
        """Takes the link's callbacks over. `holding`: names of the alerts that hold now."""
        self.hears_broker: bool | None = None
        """Whether our own birth came back: a denied subscription is answered with 'granted', and only silence tells."""
        self._link, self._delivery, self._topics = link, delivery, delivery.topics
        self._commands, self._home, self._claims = commands, home, claims
        self._arbitrate = arbitrate
        self._holding = holding
        self._echo_due: asyncio.TimerHandle | None = None
        self._routes: dict[str, Callable[[Incoming], None]] = {
            self._topics.home_availability: lambda message: home.announced(message.payload),
            self._topics.home_names: names.came,
            self._topics.home_response: home.answered,
            self._topics.home_assistant_status: self._assistant_status,
            self._topics.of("availability"): self._own_availability,
        }
        link.on_up, link.on_down, link.on_message = self._up, self._down, self._message

    def _up(self) -> None:
        topics = self._topics
        self._link.subscribe(topics.commands, topics.home_response, topics.home_availability, topics.home_names,
                            topics.home_assistant_status, topics.of("availability"), topics.of("alert/+"))  # fmt: skip
        if self._arbitrate:
            self._link.subscribe(topics.claims)
        self.hears_broker = None
        self._echo_due = asyncio.get_running_loop().call_later(ECHO_S, self._no_echo)
        self._delivery.up()

    def _no_echo(self) -> None:
        self.hears_broker = False
        log.warning(
            "mqtt: the broker keeps from this device what is meant for it: its ACL must let it read its topics."
        )

    def close(self) -> None:
        """Waits for no echo any more."""
        if self._echo_due is not None:
            self._echo_due.cancel()
            self._echo_due = None

    def _down(self) -> None:
        self.close()
        self._delivery.down()
        self._home.disconnected()

    def _message(self, incoming: Incoming) -> None:
        """Sorts what the broker sends. Nothing in it can raise: it is all from outside."""
        topic, base = incoming.topic, f"{self._topics.base}/cmd/"
        if topic.startswith(base):
            self._commands.take(topic[len(base) :], incoming)
        elif (route := self._routes.get(topic)) is not None:
            route(incoming)
        elif topic.startswith(alert := self._topics.of("alert/")):
            self._own_alert(topic[len(alert) :], incoming)
        elif topic.endswith("/claim") and not incoming.retain:
            self._claims.told(incoming)

    def _own_alert(self, name: str, incoming: Incoming) -> None:
        """An alert of ours is on the broker. One that an earlier run left there, and that does not hold, is taken back."""
        if incoming.payload and name not in self._holding():
            self._delivery.queue("alert", f"alert/{name}", {}, retain=True, cleared=True)

    def _own_availability(self, incoming: Incoming) -> None:
        """Our birth came back. Or the last will of an older connection came late: we are here."""
        self.hears_broker = True
        self.close()
        if incoming.payload == OFFLINE:
            self._delivery.online()

    def _assistant_status(self, incoming: Incoming) -> None:
        """Home Assistant was born: it wants to hear what there is again."""
        online = incoming.payload == b"online"
        self._home.assistant(online)
        if online and not incoming.retain:
            for topic in (self._topics.discovery, self._topics.of("state")):
                self._delivery.again(topic)
            self._delivery.online()

    def answer(self, incoming: Incoming, body: Answer) -> None:
        """To the response topic where that is below our own `reply`: nobody makes us speak elsewhere."""
        own = self._topics.of("reply")
        wanted = incoming.response_topic
        below = wanted is not None and (wanted == own or wanted.startswith(f"{own}/")) and not set(wanted) & {"+", "#"}
        message = {"v": 1, "at": round(time.time(), 3), **body}
        self._delivery.send(wanted if wanted and below else own, message, incoming.correlation)

    def traffic(self) -> dict[str, Any]:
        """What goes over the connection and what could not; with the cost of telemetry itself."""
        outbox = self._delivery.outbox
        return {
            "connected": self._link.connected,
            "waiting": len(outbox),
            "waiting_bytes": outbox.bytes,
            "dropped": dict(outbox.dropped),
            "delivered": dict(self._delivery.delivered),
            "repeated": self._delivery.repeated,
            "counters": dict(self._link.counters),
            "bytes_in": self._link.traffic.received,
            "bytes_out": self._link.traffic.sent,
            "commands": dict(self._commands.counters),
            "telemetry_cpu_s": round(self._link.cost.seconds, 3),
        }
