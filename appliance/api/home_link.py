"""In: what telemetry hears of the home server and of other devices. Out: the mind learns names, hands over, and yields."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.conversation.agent import Agent
from appliance.conversation.conversation import Conversation
from appliance.intents.home import home_from
from appliance.intents.interpretation import Interpretation
from appliance.settings.device import DeviceSettings
from appliance.telemetry.telemetry import Telemetry

log = logging.getLogger(__name__)


class HomeLink:
    """The house, as telemetry tells of it (telemetry.device.House); and the home server, as a skill sees it."""

    def __init__(
        self,
        device: DeviceSettings,
        agent: Agent,
        conversation: Conversation,
        compile_grammars: Callable[[], Awaitable[None]],
    ) -> None:
        """`compile_grammars` has the recogniser learn the new names before somebody speaks them."""
        self._compile_grammars = compile_grammars
        self._device = device
        self._agent = agent
        self._conversation = conversation
        self.telemetry: Telemetry | None = None

    async def home_named(self, tree: Any) -> None:
        """Takes over areas and entities. The device stands where its own settings say. Raises GrammarError."""
        if isinstance(tree, dict) and self._device.area is not None:
            tree = {**tree, "area": self._device.area}
        home = home_from(tree, "home/names")
        if home != self._agent.wanted_home:
            await self._agent.set_home(home)
            await self._compile_grammars()
            log.info("home: %d areas, %d devices", len(home.areas), len(home.entities))

    def home_served(self, served: bool) -> None:
        self._agent.serve_home(self if served else None)
        log.info("home server: %s", "there" if served else "away")

    def yield_turn(self, winner: str) -> None:
        self._conversation.stop_listening()

    async def handle(self, interpretation: Interpretation) -> str:
        """Has the home server do it (actions.device.HomeHandler). Raises ActionError with a sentence."""
        assert self.telemetry is not None
        request = {
            "intent": interpretation.intent,
            "slots": dict(interpretation.slots),
            "domain": interpretation.domain,
            "text": interpretation.text,
            "language": self._device.language,
            "area": self._device.area,
        }
        return await self.telemetry.home.ask(request)
