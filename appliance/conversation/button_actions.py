"""In: what a finger on the button wants. Out: the conversation, the timers and the microphone do it."""

from __future__ import annotations

import logging

from appliance.conversation.agent import Agent
from appliance.conversation.context import Trigger
from appliance.conversation.conversation import Conversation

log = logging.getLogger(__name__)


class ButtonActions:
    """What the panel is given. A press stops what the device is at; where there was nothing to stop, it listens."""

    def __init__(self, conversation: Conversation, agent: Agent) -> None:
        self._conversation = conversation
        self._agent = agent

    def hush(self) -> bool:
        """Silences a ringing timer and the reply; whether there was anything to silence."""
        return self._conversation.hush()

    def press(self) -> None:
        """Stops what the device is at, else listens. A muted device stays muted: what muted it, or a long press, opens it."""
        if not self._conversation.stop() and not self._agent.muted:
            self._conversation.open(Trigger("button"))

    def talk(self) -> bool:
        """Listens until `talked`; whether it began to."""
        if self._conversation.listening or self._agent.muted:
            return False
        self._conversation.open(Trigger("button", held=True))
        return True

    def talked(self, ended: bool) -> None:
        """The finger is off."""
        self._conversation.let_go(ended)

    async def mute(self) -> None:
        """Closes the microphone, or opens it again; a turn that listens ends with it."""
        muted = not self._agent.muted
        if muted:
            self._conversation.stop_listening()
        await self._agent.set_mute(muted)

    async def reset(self) -> None:
        """Loudness as in the settings, microphone open. Timers and models stay: they are no settings."""
        await self._agent.reset_levels()
        await self._agent.set_mute(False)
        log.warning("The settings changed at the device were reset by its button.")
