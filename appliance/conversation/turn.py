"""In: an opened turn (wake word, button, follow-up). Out: one record of how it went; always ends, always in IDLE.

The order of a turn stands in `Turn.take`: listen → stt → intent → action → tts → play. A turn is thrown away after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from appliance.actions.plan import Plan
from appliance.conversation.clients.stt import Transcription
from appliance.conversation.clients.tts import Saying
from appliance.conversation.context import Trigger, TurnContext
from appliance.conversation.listener import Listener
from appliance.conversation.machine import Signal
from appliance.conversation.prepare import Prepared
from appliance.conversation.reply import Reply
from appliance.conversation.trace import Trace
from appliance.errors import ApplianceError, EngineError, StageError
from appliance.events import ActionDone, IntentRecognised, Outcome, TurnRecord
from appliance.intents.recognise import Interpretation
from appliance.wire.stt import Transcript

log = logging.getLogger(__name__)

T = TypeVar("T")


class Turn:
    """One turn. `take` is all of it; cancelling its task ends it at once, whatever it is at."""

    def __init__(self, name: str, trigger: Trigger, context: TurnContext, signal: Callable[[Signal], None]) -> None:
        """`signal` tells the conversation how far the turn is: END_OF_SPEECH, then REPLY."""
        self.name = name
        self._trigger = trigger
        self._context = context
        self._signal = signal
        self._trace = Trace()
        self._prepared = Prepared(context.agent, context.voice, trigger)
        self._listener = Listener(name, trigger, context, self._trace, self._prepared)
        self._reply = Reply(name, context, self._trace, signal)
        self._restarts = 0

    @property
    def asks(self) -> Interpretation | None:
        """What the device asked back about, for a follow-up."""
        return self._trace.question

    @property
    def listened_until_ms(self) -> int | None:
        """Where its speech ended, on the microphone's time line; None while it listens and where it did not."""
        return self._listener.until_ms

    def let_go(self, ended: bool) -> None:
        """The finger is off the button: speech is over (`ended`), or its end is decided as always."""
        self._listener.let_go(ended)

    def record(self) -> TurnRecord:
        """How it went, as far as it went."""
        self._trace.prepared, self._trace.wasted = self._prepared.verdict, self._prepared.wasted
        return self._trace.record(self.name, self._trigger.cause, self._trigger.detection, self._restarts)

    # -- the turn -------------------------------------------------------------------------------------------------

    async def take(self) -> None:
        """Runs the turn. Raises nothing for what goes wrong inside it; the record says how it ended."""
        trace = self._trace
        try:
            await self._stages()
        except ApplianceError as error:
            log.warning("turn %s: %s", self.name, error)
            trace.error = error.message
            await self._fail(f"failed_{getattr(error, 'stage', 'turn')}")
        except Exception as error:
            log.exception("turn %s", self.name)
            trace.error = f"{type(error).__name__} in a turn."
            await self._fail("failed")
        finally:
            self._prepared.close()

    async def _fail(self, reason: str) -> None:
        """The apology; an error of code in there, too, ends nothing but the apology."""
        self._signal(Signal.END_OF_SPEECH)
        try:
            await self._reply.apologise(reason, Outcome.FAILED)
        except Exception:
            log.exception("apology of turn %s", self.name)

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
        if plan.reply:
            await self._reply.speak(plan.reply, saying)

    # -- listen, stt ----------------------------------------------------------------------------------------------

    async def _listen_and_transcribe(self) -> Transcript | None:
        """The final text; None where nothing was to be transcribed (and that was answered already)."""
        context, trace = self._context, self._trace
        if self._trigger.text is not None:
            trace.transcript = Transcript(self._trigger.text, complete=True)
            return trace.transcript
        utterance = Transcription(
            context.stt,
            context.agent.begin(self._trigger),
            context.ready_s,
            self._listener.heard_partial,
            context.lockstep,
        )
        async with context.ear.listen(self._trigger.from_ms) as listening:
            if context.settings.chime:
                with contextlib.suppress(StageError):  # who is listened to can speak without it
                    await context.loudspeaker.tone("listen")
            async with utterance:
                decision = await self._listener.until_end_of_speech(listening, utterance)
                self._signal(Signal.END_OF_SPEECH)
                self._restarts = utterance.second_tries
                if decision.speech_end_ms is None:
                    await self._reply.apologise("no_speech", Outcome.NO_SPEECH)
                    return None
                transcript = self._listener.known(decision) or await utterance.finish(context.settings.stt_deadline_s)
        self._restarts = utterance.second_tries
        trace.stamp("text")
        trace.transcript = transcript
        log.info("stt %.0f ms", trace.between("decision", "text") or 0)
        log.debug("heard: %s", transcript.text)
        if decision.reason == "too_long" and not transcript.complete:
            await self._reply.apologise("too_long", Outcome.NOT_UNDERSTOOD)
            return None
        return transcript

    # -- intent, action -------------------------------------------------------------------------------------------

    async def _understand(self, transcript: Transcript) -> Interpretation | None:
        context = self._context
        # A turn that a person opened is a person's: only one that opened by itself may have heard the device.
        opened_itself = self._trigger.cause == "follow_up"
        if not transcript.text or (opened_itself and context.agent.own_words(transcript.text)):
            interpretation = None
        else:
            interpretation = await self._within(self._meaning(transcript), context.settings.intent_deadline_s, "intent")
        self._trace.stamp("intent")
        self._trace.interpretation = interpretation
        context.bus.publish(
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
        return prepared or await self._context.agent.interpret(transcript, self._trigger)

    async def _act(self, interpretation: Interpretation) -> tuple[Plan, Saying | None]:
        """Does what was asked, once, and gives the reply that is to be spoken."""
        context = self._context
        ready = self._prepared.take(interpretation)
        plan = ready.plan if ready is not None else context.agent.plan(interpretation)
        saying = ready.saying if ready is not None else None
        if plan.act is not None:
            try:
                replacement = await self._within(plan.act(), context.settings.action_deadline_s, "action")
            except BaseException:
                if saying is not None:
                    saying.close()  # whatever is said now, it is not this
                raise
            if replacement is not None and replacement.reply != plan.reply:
                if saying is not None:
                    saying.close()
                plan, saying = replacement, None
        self._trace.stamp("reply")
        self._trace.outcome = plan.outcome
        self._trace.question = (plan.question or interpretation) if plan.ask and not plan.ends else None
        context.bus.publish(ActionDone(turn=self.name, intent=interpretation.intent, outcome=plan.outcome))
        log.info("action %.0f ms", self._trace.between("intent", "reply") or 0)
        return plan, saying

    async def _within(self, work: Awaitable[T], deadline_s: float, stage: str) -> T:
        try:
            async with asyncio.timeout(deadline_s):
                return await work
        except TimeoutError as error:
            raise EngineError("deadline", f"The {stage} stage took more than {deadline_s:g} s.", stage) from error
