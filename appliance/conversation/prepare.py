"""In: sure partial readings. Out: the reply to the newest one, planned and begun to be spoken; nothing is acted or heard.

At the end of speech it is used if the final text is the same, and dropped if not.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.actions.plan import Plan
from appliance.conversation.clients.tts import Saying, TtsClient
from appliance.errors import ApplianceError
from appliance.intents.recognise import Interpretation
from appliance.wire.stt import Partial, Transcript

if TYPE_CHECKING:
    from appliance.conversation.context import ConversationAgent, Trigger

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PreparedReply:
    """A reply that waits."""

    text: str
    interpretation: Interpretation
    plan: Plan
    saying: Saying | None


class Prepared:
    """The reply prepared ahead in one turn: at most one, the newest."""

    def __init__(self, agent: ConversationAgent, voice: TtsClient, trigger: Trigger) -> None:
        self._agent = agent
        self._voice = voice
        self._trigger = trigger
        self._heard: Transcript | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready: PreparedReply | None = None
        self._used = False
        self.begun = 0
        """Replies that were planned, and begun to be spoken, in this turn."""

    @property
    def verdict(self) -> str | None:
        """hit: used; waste: prepared and not used; None: nothing was prepared."""
        if self._used:
            return "hit"
        return "waste" if self.begun else None

    @property
    def wasted(self) -> int:
        """Replies that were prepared for nothing, those of a turn that used another one too."""
        return self.begun - int(self._used)

    def consider(self, partial: Partial) -> None:
        """Prepares the reply to `partial`, unless that text is what is being prepared already."""
        if self._heard is not None and partial.text == self._heard.text:
            return
        self.close()
        self._heard = Transcript(
            partial.text, partial.free_text, partial.confidence, partial.complete, partial.alternatives
        )
        self._task = asyncio.create_task(self._prepare(self._heard), name="prepare")

    async def interpretation_of(self, transcript: Transcript) -> Interpretation | None:
        """The interpretation made ahead, if it is of this very reading; one that is being made is waited for.

        The same words heard with another confidence are another reading: the final one decides whether it is acted on.
        """
        heard = self._heard
        if self._task is None or heard is None or not transcript.complete or heard.text != transcript.text:
            return None
        await self._task
        same = (heard.confidence, heard.alternatives) == (transcript.confidence, transcript.alternatives)
        return self._ready.interpretation if same and self._ready is not None else None

    def take(self, interpretation: Interpretation) -> PreparedReply | None:
        """The reply made ahead, if it answers this very interpretation; the caller closes its `saying`."""
        ready = self._ready
        if ready is None or ready.interpretation != interpretation:
            return None
        self._used, self._ready = True, None
        return ready

    def brief(self, text: str) -> bool:
        """Whether `text` is known to be a command after which people stop."""
        return self._ready is not None and self._ready.text == text and self._agent.brief(self._ready.interpretation)

    def close(self) -> None:
        """Drops what was prepared and not taken."""
        if self._task is not None:
            self._task.cancel()
        if self._ready is not None and self._ready.saying is not None:
            self._ready.saying.close()
        self._task = self._ready = self._heard = None

    async def _prepare(self, transcript: Transcript) -> None:
        try:
            interpretation = await self._agent.interpret(transcript, self._trigger)
            if interpretation is None:
                return
            plan = self._agent.plan(interpretation)
        except ApplianceError:
            return  # the turn itself will meet it again and say so
        except Exception:
            log.exception("prepare")
            return
        self.begun += 1
        saying = self._voice.say(plan.reply) if plan.reply and plan.outcome != "handed_over" else None
        self._ready = PreparedReply(transcript.text, interpretation, plan, saying)
