"""In: the home server's retained topic of areas and names. Out: the house learns them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from appliance.errors import ApplianceError
from appliance.files import Damaged, parse_json
from appliance.telemetry.device import House
from appliance.telemetry.mqtt.incoming import Incoming
from appliance.telemetry.mqtt.link import Link

log = logging.getLogger(__name__)


class Names:
    """Takes areas and entities over. For the event loop's thread."""

    def __init__(self, house: House, link: Link, topic: str) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        """The house learns beside everything else: compiling takes a while."""
        self._house = house
        self._link = link
        self._topic = topic

    def refresh(self) -> None:
        """A new subscription brings the retained names once more."""
        self._link.unsubscribe(self._topic)
        self._link.subscribe(self._topic)

    def came(self, incoming: Incoming) -> None:
        """New names, or rubbish, which changes nothing."""
        try:
            tree = parse_json(incoming.payload or b"{}")
        except Damaged:
            log.warning("%s holds no JSON: the names stay as they are.", incoming.topic)
            return
        task = asyncio.get_running_loop().create_task(self._take(tree), name="home names")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _take(self, tree: Any) -> None:
        try:
            await self._house.home_named(tree)
        except ApplianceError as error:
            log.warning("%s", error)
