"""In: a reply to speak, or a reason why there is none. Out: speech at the card, until its end or until it is cut."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from appliance.conversation.clients.tts import Saying
from appliance.conversation.context import TurnContext
from appliance.conversation.loudspeaker import Rank
from appliance.conversation.machine import Signal
from appliance.conversation.trace import Trace
from appliance.errors import StageError
from appliance.events import Outcome, ReplyStarted, State, StateChanged
from appliance.intents.replies import strip_marks

log = logging.getLogger(__name__)

MUTE_STAGES = ("failed_tts", "failed_play")
"""Nothing can be said about these: the tone has to do."""


class Reply:
    """What one turn says. Cancelling its task silences it."""

    def __init__(self, turn: str, context: TurnContext, trace: Trace, signal: Callable[[Signal], None]) -> None:
        """`signal` tells the conversation that the reply begins to be heard."""
        self._turn = turn
        self._context = context
        self._trace = trace
        self._signal = signal

    async def speak(self, text: str, saying: Saying | None = None) -> None:
        """Says `text`, which `saying` may have begun already. Raises TtsError, PlayError, EngineError."""
        self._trace.reply = strip_marks(text)
        try:
            await self._speak(saying or self._context.voice.say(text), self._trace.reply)
        finally:
            self._context.agent.answered(self._trace.interpretation, self._trace.reply)

    async def _speak(self, saying: Saying, text: str) -> None:
        settings, trace = self._context.settings, self._trace
        try:
            await saying.started(settings.tts_deadline_s)
            trace.stamps["speech"] = max(saying.first_ns or 0, trace.stamps.get("reply", 0))
            trace.cached = saying.cached
            self._signal(Signal.REPLY)
            await self._context.loudspeaker.play(
                Rank.REPLY,
                saying.pieces(),
                saying.rate_hz,
                text=text,
                stall_s=settings.play_deadline_s,
                on_first=self._first_sample,
            )
        finally:
            saying.close()

    def _first_sample(self, first_ns: int) -> None:
        self._trace.stamps["first"] = first_ns
        self._context.bus.publish(ReplyStarted(turn=self._turn))
        log.info("play: answered %.0f ms after the last word", self._trace.between("speech_end", "first") or 0)

    async def apologise(self, reason: str, outcome: Outcome, command: str = "") -> None:
        """Says, or sounds, why there is no answer (to the put-off `command`). No failure of a stage goes further."""
        self._trace.outcome = outcome
        self._show_error(outcome is Outcome.FAILED)
        text = self._context.agent.apology(reason, command)
        try:
            if text and reason not in MUTE_STAGES:
                self._trace.reply = strip_marks(text)
                await self._speak(self._context.voice.say(text), self._trace.reply)
                return
        except StageError as error:
            log.warning("apology: %s", error)
        finally:
            self._show_error(False)
        with contextlib.suppress(StageError):
            await self._context.loudspeaker.tone("error", Rank.REPLY)

    def _show_error(self, on: bool) -> None:
        self._context.bus.publish(StateChanged(state=State.ERROR, on=on))
