"""In: what a finger on the button wants. Out: the conversation, the timers and the microphone do it."""

from __future__ import annotations

import logging

from appliance.conversation.conversation import Conversation
from appliance.conversation.mind import HouseMind
from appliance.conversation.tools import Opening

log = logging.getLogger(__name__)


class Touch:
    """The hands that the panel is given. A press stops a ringing timer, else speech, else listening; else it listens."""

    def __init__(self, conversation: Conversation, mind: HouseMind) -> None:
        self._conversation = conversation
        self._mind = mind

    def hush(self) -> bool:
        """Silences a ringing timer and the reply; whether there was anything to silence."""
        return self._conversation.hush()

    def press(self) -> None:
        """Stops listening, else listens. A muted device stays muted: only what muted it, or a long press, opens it."""
        if self._conversation.listening:
            self._conversation.stop()
        elif not self._mind.muted:
            self._conversation.open(Opening("button"))

    def talk(self) -> bool:
        """Listens until `talked`; whether it began to."""
        if self._conversation.listening or self._mind.muted:
            return False
        self._conversation.open(Opening("button", held=True))
        return True

    def talked(self, ended: bool) -> None:
        """The finger is off."""
        self._conversation.let_go(ended)

    async def mute(self) -> None:
        """Closes the microphone, or opens it again; a turn that listens ends with it."""
        muted = not self._mind.muted
        if muted and self._conversation.listening:
            self._conversation.stop()
        await self._mind.set_mute(muted)

    async def reset(self) -> None:
        """Loudness as in the settings, microphone open. Timers and models stay: they are no settings."""
        await self._mind.reset_levels()
        await self._mind.set_mute(False)
        log.warning("The settings changed at the device were reset by its button.")
