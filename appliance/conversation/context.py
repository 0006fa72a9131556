"""What a turn is opened with, and what it works with: the words that the parts of a conversation share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from appliance.actions.plan import Plan
from appliance.conversation.clients.sound import SoundClient
from appliance.conversation.clients.tts import TtsClient
from appliance.conversation.loudspeaker import Loudspeaker
from appliance.events import Bus
from appliance.intents.interpretation import Interpretation
from appliance.settings.conversation import ConversationSettings
from appliance.supervisor.child import Child
from appliance.wire.sound import Detection
from appliance.wire.stt import Transcribe, Transcript


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why a turn begins."""

    cause: str
    """wake, button, follow_up or command."""
    detection: Detection | None = None
    from_ms: int | None = None
    """Place on the microphone's time line from which speech is wanted; None: from now on."""
    text: str | None = None
    """A sentence that is taken as said; nothing is listened to."""
    question: Interpretation | None = None
    """What the device asked, where this turn is to answer it."""
    held: bool = False
    """A finger is on the button: speech ends when it lets go, not with silence."""


class ConversationAgent(Protocol):
    """What turns text into a reply; made by the app from intents and actions."""

    def begin(self, trigger: Trigger) -> Transcribe:
        """How the recogniser should listen now."""

    async def interpret(self, transcript: Transcript, trigger: Trigger) -> Interpretation | None:
        """Text → intent; None where it is no command, or where the transcript is not sure enough."""

    def plan(self, interpretation: Interpretation) -> Plan:
        """Intent → reply and what to do; does nothing yet."""

    def apology(self, reason: str, command: str = "") -> str:
        """What to say for no_speech, not_understood, command_failed (then with the command), too_long, deaf or failed;
        empty: only the tone."""

    def brief(self, interpretation: Interpretation) -> bool:
        """Whether people stop after this command although the grammar would allow more words."""

    def answered(self, interpretation: Interpretation | None, reply: str) -> None:
        """A reply was spoken."""

    def own_words(self, text: str) -> bool:
        """Whether `text` is what the device itself just said."""

    def hush(self) -> bool:
        """Silences ringing timers; whether any rang."""

    def ringing(self) -> bool:
        """Whether a timer rings."""


@dataclass(slots=True)
class TurnContext:
    """What turns work with; one set for the life of the program."""

    settings: ConversationSettings
    vad_threshold: float
    bus: Bus
    ear: SoundClient
    stt: Child
    voice: TtsClient
    agent: ConversationAgent
    loudspeaker: Loudspeaker
    ready_s: float = 3.0
    """How long a turn waits for an engine that is being replaced."""
    lockstep: bool = False
    """Not in real time: wait for the recogniser after every block."""
