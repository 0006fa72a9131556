"""In: an understood command for the home. Out: the home server's reply over MQTT, or the sentence that there was none."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from appliance.errors import ActionError
from appliance.files import Damaged, parse_json
from appliance.telemetry.mqtt.delivery import Delivery
from appliance.telemetry.mqtt.incoming import Incoming

MOST_REPLY = 4000
"""Characters of a reply that is spoken: 500 words and some."""


class HomeServer:
    """Requests and their replies; knows whether anybody is there to answer."""

    def __init__(self, delivery: Delivery, deadline_s: float, on_served: Callable[[bool], None]) -> None:
        self._delivery = delivery
        self._deadline_s = deadline_s
        self._on_served = on_served
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._here = False
        self._assistant_gone = False
        self._told = False

    @property
    def served(self) -> bool:
        """Whether somebody answers home requests: announced, and Home Assistant did not die since."""
        return self._here and not self._assistant_gone

    def announced(self, payload: bytes) -> None:
        """`home/availability` changed."""
        self._here = payload == b"online"
        self._tell()

    def assistant(self, online: bool) -> None:
        """Home Assistant's own birth or last will."""
        self._assistant_gone = not online
        self._tell()

    def disconnected(self) -> None:
        """The broker is away, and the home server with it."""
        self._here = self._assistant_gone = False
        self._tell()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ActionError("no-answer", "The home server does not answer."))

    def _tell(self) -> None:
        if self.served != self._told:
            self._told = self.served
            self._on_served(self.served)

    async def ask(self, request: dict[str, Any]) -> str:
        """Sends `request` (intent, slots, text …) and gives the reply's text. Raises ActionError without one in time.

        The id travels twice: as MQTT 5's correlation data, and in the JSON for those who cannot see that (Home Assistant's
        automations, 3.1.1).
        """
        name = secrets.token_hex(8)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        topics = self._delivery.topics
        body = {"v": 1, "id": name, **request, "deadline_s": self._deadline_s, "reply_to": topics.home_response}
        try:
            if not self._delivery.send(topics.home_request, body, name.encode(), topics.home_response):
                raise ActionError("no-answer", "The home server is not connected.")
            async with asyncio.timeout(self._deadline_s):
                answer = await future
        except TimeoutError as error:
            raise ActionError("no-answer", "The home server does not answer.") from error
        finally:
            self._waiting.pop(name, None)
        reply = str(answer.get("reply") or "")[:MOST_REPLY]
        if answer.get("ok") is False:
            raise ActionError("refused", reply or "The home server could not do it.")
        return reply

    def answered(self, incoming: Incoming) -> None:
        """A message on `home/response`; one that nobody waits for, or rubbish, is ignored."""
        try:
            tree = parse_json(incoming.payload)
        except Damaged:
            return
        if incoming.retain or not isinstance(tree, dict):
            return
        name = incoming.correlation.decode("utf-8", "replace") if incoming.correlation else tree.get("id")
        future = self._waiting.get(name) if isinstance(name, str) else None
        if future is not None and not future.done():
            future.set_result(tree)
