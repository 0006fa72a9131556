"""In: what a finger wants. Out: the device does it. The seam between the panel and the conversation."""

from __future__ import annotations

from typing import Protocol


class ButtonTarget(Protocol):
    """What the button can do to the device. Called in the event loop; nothing here blocks."""

    def hush(self) -> bool:
        """Silences a ringing timer, else the reply; whether there was anything to silence. Called under the finger."""

    def press(self) -> None:
        """A single press where nothing sounded: stops listening, else listens."""

    def talk(self) -> bool:
        """Listens until `talked`; whether it began to (False: it listens already)."""

    def talked(self, ended: bool) -> None:
        """The finger is off: speech is over (`ended`), or the turn goes on by itself."""

    async def mute(self) -> None:
        """Closes the microphone, or opens it again."""

    async def reset(self) -> None:
        """Settings changed by voice, button and MQTT go back to what the file says."""
