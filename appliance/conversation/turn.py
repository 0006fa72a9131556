"""In: an opened turn (wake word, button, follow-up). Out: one record of how it went; always ends, always in IDLE.

The order of a turn stands in `Turn.take`: listen → stt → intent → action → tts → play. A turn is thrown away after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from appliance.actions.plan import Plan
from appliance.conversation.clients.stt import Transcription
from appliance.conversation.clients.tts import Saying
from appliance.conversation.context import Trigger, TurnContext
from appliance.conversation.listener import Listener
from appliance.conversation.prepare import Prepared
from appliance.conversation.reply import Reply
from appliance.conversation.trace import Trace
from appliance.errors import ApplianceError, EngineError
from appliance.events import (
    ActionDone,
    IntentRecognised,
    Outcome,
    State,
    StateChanged,
    TurnEnded,
    TurnRecord,
    TurnStarted,
)
from appliance.intents.recognise import Interpretation
from appliance.wire.stt import Transcript

log = logging.getLogger(__name__)

T = TypeVar("T")


class Turn:
    """One turn. `take` is all of it; `cut` silences its reply, `cancel` ends it."""

    def __init__(self, name: str, trigger: Trigger, tools: TurnContext) -> None:
        self.name = name
        self.listening = False
        self._trigger = trigger
        self._tools = tools
        self._trace = Trace()
        self._prepared = Prepared(tools.agent, tools.voice, trigger)
        self._listener = Listener(name, trigger, tools, self._trace, self._prepared)
        self._reply = Reply(name, tools, self._trace)
        self._cut = False
        self._restarts = 0

    @property
    def replying(self) -> bool:
        return self._reply.sounding

    @property
    def asks(self) -> Interpretation | None:
        """What the device asked back about, for a follow-up; None where somebody would not hear it out."""
        return None if self._cut else self._trace.question

    @property
    def reply(self) -> str | None:
        """What it says, or said; None before that."""
        return self._trace.reply

    def cut(self) -> None:
        """Silences the reply (barge-in)."""
        self._cut = True
        self._reply.cut()

    def cancel(self) -> None:
        """Ends the turn without an answer (button while listening)."""
        self._listener.cancel()
        self.cut()

    def let_go(self, ended: bool) -> None:
        """The finger is off the button: speech is over (`ended`), or its end is decided as always."""
        self._listener.let_go(ended)

    # -- the turn -------------------------------------------------------------------------------------------------

    async def take(self) -> TurnRecord:
        """Runs the turn. Never raises for what goes wrong inside it; the record says how it ended."""
        trace, tools = self._trace, self._tools
        tools.bus.publish(TurnStarted(turn=self.name, cause=self._trigger.cause))
        try:
            await self._stages()
        except ApplianceError as error:
            log.warning("turn %s: %s", self.name, error)
            trace.error = error.message
            await self._reply.apologise(f"failed_{getattr(error, 'stage', 'turn')}", Outcome.FAILED)
        except Exception as error:
            log.exception("turn %s", self.name)
            trace.error = f"{type(error).__name__} in a turn."
            await self._reply.apologise("failed", Outcome.FAILED)
        finally:
            self._end()
        return self._record()

    async def _stages(self) -> None:
        transcript = await self._listen_and_transcribe()
        if transcript is None:
            return
        interpretation = await self._understand(transcript)
        if interpretation is None:
            promised = (self._trigger.text or "") if self._trigger.cause == "command" else ""
            await self._reply.apologise(
                "command_failed" if promised else "not_understood", Outcome.NOT_UNDERSTOOD, promised
            )
            return
        plan, saying = await self._act(interpretation)
        self._show(State.THINKING, on=False)
        if plan.reply:
            await self._reply.speak(plan.reply, saying)

    def _end(self) -> None:
        self._prepared.close()
        self._trace.prepared, self._trace.wasted = self._prepared.verdict, self._prepared.wasted
        self.listening = False
        for state in (State.LISTENING, State.THINKING, State.REPLYING):
            self._show(state, on=False)
        self._show(State.IDLE)
        self._tools.bus.publish(TurnEnded(record=self._record()))

    # -- listen, stt ----------------------------------------------------------------------------------------------

    async def _listen_and_transcribe(self) -> Transcript | None:
        """The final text; None where nothing was to be transcribed (and that was answered already)."""
        tools, trace = self._tools, self._trace
        if self._trigger.text is not None:
            trace.transcript = Transcript(self._trigger.text, complete=True)
            return trace.transcript
        self._show(State.LISTENING)
        self.listening = True
        utterance = Transcription(
            tools.stt, tools.agent.begin(self._trigger), tools.ready_s, self._listener.heard_partial, tools.lockstep
        )
        async with tools.ear.listen(self._trigger.from_ms) as listening:
            if tools.settings.chime:
                await tools.tone("listen")
            async with utterance:
                decision = await self._listener.until_end_of_speech(listening, utterance)
                self.listening = False
                self._restarts = utterance.second_tries
                if decision is None:
                    trace.outcome = Outcome.CANCELLED
                    return None
                if decision.speech_end_ms is None:
                    await self._reply.apologise("no_speech", Outcome.NO_SPEECH)
                    return None
                self._show(State.LISTENING, on=False)
                self._show(State.THINKING)
                transcript = self._listener.known(decision) or await utterance.finish(tools.settings.stt_deadline_s)
        self._restarts = utterance.second_tries
        self._trace.stamp("text")
        trace.transcript = transcript
        log.info("stt %.0f ms", self._trace.between("decision", "text") or 0)
        log.debug("heard: %s", transcript.text)
        if decision.reason == "too_long" and not transcript.complete:
            await self._reply.apologise("too_long", Outcome.NOT_UNDERSTOOD)
            return None
        return transcript

    # -- intent, action -------------------------------------------------------------------------------------------

    async def _understand(self, transcript: Transcript) -> Interpretation | None:
        tools = self._tools
        # A turn that a person opened is a person's: only one that opened by itself may have heard the device.
        opened_itself = self._trigger.cause == "follow_up"
        if not transcript.text or (opened_itself and tools.agent.own_words(transcript.text)):
            interpretation = None
        else:
            interpretation = await self._within(self._meaning(transcript), tools.settings.intent_deadline_s, "intent")
        self._trace.stamp("intent")
        self._trace.interpretation = interpretation
        tools.bus.publish(
            IntentRecognised(
                turn=self.name,
                intent=interpretation.intent if interpretation else None,
                slots=dict(interpretation.slots) if interpretation else {},
                confidence=transcript.confidence,
            )
        )
        log.info(
            "intent %s %.0f ms", interpretation and interpretation.intent, self._trace.between("text", "intent") or 0
        )
        return interpretation

    async def _meaning(self, transcript: Transcript) -> Interpretation | None:
        prepared = await self._prepared.interpretation_of(transcript)
        return prepared or await self._tools.agent.interpret(transcript, self._trigger)

    async def _act(self, interpretation: Interpretation) -> tuple[Plan, Saying | None]:
        """Does what was asked, once, and gives the reply that is to be spoken."""
        tools = self._tools
        ready = self._prepared.take(interpretation)
        plan = ready.plan if ready is not None else tools.agent.plan(interpretation)
        saying = ready.saying if ready is not None else None
        if plan.act is not None:
            replacement = await self._within(plan.act(), tools.settings.action_deadline_s, "action")
            if replacement is not None and replacement.reply != plan.reply:
                if saying is not None:
                    saying.close()
                plan, saying = replacement, None
        self._trace.stamp("reply")
        self._trace.outcome = plan.outcome
        self._trace.question = (plan.question or interpretation) if plan.ask and not plan.ends else None
        tools.bus.publish(ActionDone(turn=self.name, intent=interpretation.intent, outcome=plan.outcome))
        log.info("action %.0f ms", self._trace.between("intent", "reply") or 0)
        return plan, saying

    # -- notes ----------------------------------------------------------------------------------------------------

    async def _within(self, work: Awaitable[T], deadline_s: float, stage: str) -> T:
        try:
            async with asyncio.timeout(deadline_s):
                return await work
        except TimeoutError as error:
            raise EngineError("deadline", f"The {stage} stage took more than {deadline_s:g} s.", stage) from error

    def _show(self, state: State, on: bool = True) -> None:
        self._tools.bus.publish(StateChanged(state=state, on=on))

    def _record(self) -> TurnRecord:
        return self._trace.record(self.name, self._trigger.cause, self._trigger.detection, self._restarts)
