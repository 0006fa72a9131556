"""In: a reply to speak, or a reason why there is none. Out: speech at the card, until its end or until it is cut."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from appliance.conversation.clients.tts import Saying
from appliance.conversation.context import TurnContext
from appliance.conversation.trace import Trace
from appliance.errors import StageError
from appliance.events import Outcome, ReplyStarted, State, StateChanged
from appliance.intents.replies import strip_marks

log = logging.getLogger(__name__)


class Reply:
    """What one turn says. `speak` and `apologise` say it; `cut` silences it."""

    def __init__(self, turn: str, tools: TurnContext, trace: Trace) -> None:
        self._turn = turn
        self._tools = tools
        self._trace = trace
        self._play: asyncio.Task[None] | None = None
        self.sounding = False

    def cut(self) -> None:
        """Silences the reply (barge-in)."""
        if self._play is not None:
            self._play.cancel()

    async def speak(self, text: str, saying: Saying | None = None) -> None:
        """Says `text`, which `saying` may have begun already. Raises TtsError, PlayError, EngineError."""
        self._trace.reply = strip_marks(text)
        try:
            await self._speak(saying or self._tools.voice.say(text))
        finally:
            self._tools.agent.answered(self._trace.interpretation, self._trace.reply)

    async def _speak(self, saying: Saying) -> None:
        """Speaks; a barge-in ends it silently."""
        self._play = asyncio.create_task(self._speak_uncut(saying), name="reply")
        try:
            await asyncio.wait((self._play,))
            if not self._play.cancelled():
                self._play.result()
        finally:
            saying.close()
            self._play.cancel()
            self.sounding = False

    async def _speak_uncut(self, saying: Saying) -> None:
        settings, trace = self._tools.settings, self._trace
        await saying.started(settings.tts_deadline_s)
        trace.stamps["speech"] = max(saying.first_ns or 0, trace.stamps.get("reply", 0))
        trace.cached = saying.cached
        self.sounding = True
        self._show(State.REPLYING)
        await self._tools.ear.play(
            saying.pieces(), saying.rate_hz, stall_s=settings.play_deadline_s, on_first=self._first_sample
        )

    def _first_sample(self, first_ns: int) -> None:
        self._trace.stamps["first"] = first_ns
        self._tools.bus.publish(ReplyStarted(turn=self._turn))
        log.info("play: answered %.0f ms after the last word", self._trace.between("speech_end", "first") or 0)

    async def apologise(self, reason: str, outcome: Outcome, command: str = "") -> None:
        """Says, or sounds, why there is no answer (to the put-off `command`). Nothing that fails in here goes further."""
        self._trace.outcome = outcome
        self._show(State.LISTENING, on=False)
        self._show(State.THINKING, on=False)
        if outcome is Outcome.FAILED:
            self._show(State.ERROR)
        text = self._tools.agent.apology(reason, command)
        try:
            if text and reason != "failed_tts" and reason != "failed_play":
                self._trace.reply = strip_marks(text)
                await self._speak(self._tools.voice.say(text))
                return
        except StageError as error:
            log.warning("apology: %s", error)
        finally:
            self._show(State.ERROR, on=False)
        with contextlib.suppress(StageError):
            await self._tools.tone("error")

    def _show(self, state: State, on: bool = True) -> None:
        self._tools.bus.publish(StateChanged(state=state, on=on))
