"""In: an opened turn (wake word, button, follow-up). Out: one record of how it went; always ends, always in IDLE.

The order of a turn stands in `Turn.take`: listen → stt → intent → action → tts → play. A turn is thrown away after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from appliance.actions.plan import Plan
from appliance.conversation.ear import Ear, Listening
from appliance.conversation.endpoint import SURE, Decision, EndOfSpeech, Reading
from appliance.conversation.notes import Notes
from appliance.conversation.prepare import Prepared
from appliance.conversation.recognizer import Utterance
from appliance.conversation.voice import Saying, Voice
from appliance.errors import ApplianceError, EngineError, StageError
from appliance.events import (
    ActionDone,
    Bus,
    IntentRecognized,
    LevelMeasured,
    Outcome,
    PartialHeard,
    ReplyStarted,
    SpeechEnded,
    State,
    StateChanged,
    TurnEnded,
    TurnRecord,
    TurnStarted,
)
from appliance.intents.recognise import Interpretation
from appliance.intents.replies import strip_marks
from appliance.settings.conversation import ConversationSettings
from appliance.supervisor.child import Child
from appliance.wire.sound import Detection, Heard
from appliance.wire.stt import Partial, Transcribe, Transcript

log = logging.getLogger(__name__)

T = TypeVar("T")

RELEASE_TAIL_MS = 120
"""Audio still listened to after the finger let go: what was said is on its way, and people let go early."""
BEFORE_SPEECH_MS = 300
"""Audio that the recogniser keeps when it begins again."""
FLUSH_AFTER_MS = 60
"""Silence after which the recogniser is asked for all it has: two blocks, so that a stop consonant asks for nothing."""


@dataclass(frozen=True, slots=True)
class Opening:
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


class Mind(Protocol):
    """What turns text into a reply; made by the app from intents and actions."""

    def begin(self, opening: Opening) -> Transcribe:
        """How the recogniser should listen now."""

    async def interpret(self, transcript: Transcript, opening: Opening) -> Interpretation | None:
        """Text → intent; None where it is no command."""

    def plan(self, interpretation: Interpretation) -> Plan:
        """Intent → reply and what to do; does nothing yet."""

    def apology(self, reason: str) -> str:
        """What to say for no_speech, not_understood, too_long, deaf or failed; empty: only the tone."""

    def brief(self, interpretation: Interpretation) -> bool:
        """Whether people stop after this command although the grammar would allow more words."""

    def answered(self, interpretation: Interpretation | None, reply: str) -> None:
        """A reply was spoken."""

    def own_words(self, text: str) -> bool:
        """Whether `text` is what the device itself just said."""

    def hush(self) -> bool:
        """Silences ringing timers; whether any rang."""


@dataclass(slots=True)
class Tools:
    """What turns work with; one set for the life of the program."""

    settings: ConversationSettings
    vad_threshold: float
    bus: Bus
    ear: Ear
    stt: Child
    voice: Voice
    mind: Mind
    tone: Callable[[str], Awaitable[None]]
    """Plays the short tone of that name and waits for its end."""
    ready_s: float = 3.0
    """How long a turn waits for an engine that is being replaced."""
    lockstep: bool = False
    """Not in real time: wait for the recogniser after every block."""


class Turn:
    """One turn. `take` is all of it; `cut` silences its reply, `cancel` ends it."""

    def __init__(self, name: str, opening: Opening, tools: Tools) -> None:
        self.name = name
        self.listening = False
        self.replying = False
        self._opening = opening
        self._tools = tools
        self._notes = Notes()
        self._prepared = Prepared(tools.mind, tools.voice, opening)
        self._newest: Partial | None = None
        self._flushed_at_ms: int | None = None
        self._speech_end_ms = 0
        self._play: asyncio.Task[None] | None = None
        self._cancelled = asyncio.Event()
        self._cut = False
        self._held = opening.held
        self._tail_ms: int | None = None
        self._restarts = 0

    @property
    def asks(self) -> Interpretation | None:
        """What the device asked back about, for a follow-up; None where somebody would not hear it out."""
        return None if self._cut else self._notes.question

    @property
    def reply(self) -> str | None:
        """What it says, or said; None before that."""
        return self._notes.reply

    def cut(self) -> None:
        """Silences the reply (barge-in)."""
        self._cut = True
        if self._play is not None:
            self._play.cancel()

    def cancel(self) -> None:
        """Ends the turn without an answer (button while listening)."""
        self._cancelled.set()
        self.cut()

    def let_go(self, ended: bool) -> None:
        """The finger is off the button: speech is over (`ended`), or its end is decided as always."""
        if self._held and ended:
            self._tail_ms = RELEASE_TAIL_MS
        self._held = self._held and ended

    # -- the turn -------------------------------------------------------------------------------------------------

    async def take(self) -> TurnRecord:
        """Runs the turn. Never raises for what goes wrong inside it; the record says how it ended."""
        notes, tools = self._notes, self._tools
        tools.bus.publish(TurnStarted(turn=self.name, cause=self._opening.cause))
        try:
            transcript = await self._listen_and_transcribe()
            if transcript is None:
                return self._record()
            interpretation = await self._understand(transcript)
            if interpretation is None:
                await self._apologise("not_understood", Outcome.NOT_UNDERSTOOD)
                return self._record()
            plan, saying = await self._act(interpretation)
            await self._reply(plan, saying)
        except ApplianceError as error:
            log.warning("turn %s: %s", self.name, error)
            notes.error = error.message
            await self._apologise(f"failed_{getattr(error, 'stage', 'turn')}", Outcome.FAILED)
        except Exception as error:
            log.exception("turn %s", self.name)
            notes.error = f"{type(error).__name__} in a turn."
            await self._apologise("failed", Outcome.FAILED)
        finally:
            self._end()
        return self._record()

    def _end(self) -> None:
        self._prepared.close()
        self.listening = self.replying = False
        for state in (State.LISTENING, State.THINKING, State.REPLYING):
            self._show(state, on=False)
        self._show(State.IDLE)
        self._tools.bus.publish(TurnEnded(record=self._record()))

    # -- listen, stt ----------------------------------------------------------------------------------------------

    async def _listen_and_transcribe(self) -> Transcript | None:
        """The final text; None where nothing was to be transcribed (and that was answered already)."""
        tools, notes = self._tools, self._notes
        if self._opening.text is not None:
            notes.transcript = Transcript(self._opening.text, complete=True)
            return notes.transcript
        self._show(State.LISTENING)
        self.listening = True
        utterance = Utterance(
            tools.stt, tools.mind.begin(self._opening), tools.ready_s, self._heard_partial, tools.lockstep
        )
        async with tools.ear.listen(self._opening.from_ms) as listening:
            if tools.settings.chime:
                await tools.tone("listen")
            async with utterance:
                decision = await self._until_end_of_speech(listening, utterance)
                self.listening = False
                self._restarts = utterance.second_tries
                if decision is None:
                    notes.outcome = Outcome.CANCELLED
                    return None
                self._decided(decision)
                if decision.speech_end_ms is None:
                    await self._apologise("no_speech", Outcome.NO_SPEECH)
                    return None
                self._show(State.LISTENING, on=False)
                self._show(State.THINKING)
                transcript = self._known(decision) or await utterance.finish(tools.settings.stt_deadline_s)
        self._restarts = utterance.second_tries
        self._notes.stamp("text")
        notes.transcript = transcript
        log.info("stt %.0f ms", self._notes.between("decision", "text") or 0)
        log.debug("heard: %s", transcript.text)
        if decision.reason == "too_long" and not transcript.complete:
            await self._apologise("too_long", Outcome.NOT_UNDERSTOOD)
            return None
        return transcript

    async def _until_end_of_speech(self, listening: Listening, utterance: Utterance) -> Decision | None:
        settings, detection = self._tools.settings, self._opening.detection
        policy = EndOfSpeech(
            settings, self._tools.vad_threshold, detection.level_dbfs if detection is not None else None
        )
        async for block in self._blocks(listening):
            start_ms = self._place(block)
            await utterance.hear(block.audio)
            length_ms = len(block.audio) // 32
            policy.heard(start_ms, length_ms, block.speech, block.level_dbfs)
            self._tools.bus.publish(LevelMeasured(level_dbfs=block.level_dbfs))
            if settings.flush and self._flush_due(policy):
                await utterance.flush()
            self._consider(policy)
            if policy.took_back():
                self._newest = None
                await utterance.begin_again(BEFORE_SPEECH_MS)
            decision = self._by_hand(policy, length_ms) if self._held else policy.decide()
            if decision is not None:
                return decision
        return None

    def _by_hand(self, policy: EndOfSpeech, length_ms: int) -> Decision | None:
        """The end of speech by the button; the longest utterance holds here too."""
        if self._tail_ms is not None:
            self._tail_ms -= length_ms
            if self._tail_ms <= 0:
                return policy.ended("released")
        decision = policy.decide()
        return decision if decision is not None and decision.reason == "too_long" else None

    async def _blocks(self, listening: Listening) -> AsyncIterator[Heard]:
        """Blocks until the turn is cancelled; a microphone that gives nothing ends it with an error."""
        blocks = aiter(listening)
        cancelled = asyncio.ensure_future(self._cancelled.wait())
        try:
            while True:
                block = asyncio.ensure_future(anext(blocks))
                done, _ = await asyncio.wait(
                    (block, cancelled), timeout=self._tools.ready_s, return_when=asyncio.FIRST_COMPLETED
                )
                if cancelled in done:
                    block.cancel()
                    return
                if not done:
                    block.cancel()
                    raise EngineError("deaf", "The microphone gives no sound.", "listen")
                yield block.result()
        finally:
            cancelled.cancel()

    def _place(self, block: Heard) -> int:
        """Where the block lies, ms since the utterance's first sample; notes when that sample was captured."""
        if "origin" not in self._notes.stamps:
            self._notes.stamps["origin"] = block.mono_ns - len(block.audio) // 32 * 1_000_000
            self._origin_ms = block.timestamp
            if self._opening.from_ms is not None and self._opening.cause == "wake" and self._opening.detection:
                self._notes.stamps["wake"] = self._opening.detection.mono_ns
                self._notes.noise_dbfs = self._opening.detection.noise_dbfs
        return block.timestamp - self._origin_ms

    def _flush_due(self, policy: EndOfSpeech) -> bool:
        end_ms = policy.speech_end_ms
        if end_ms is None or policy.silence_ms < FLUSH_AFTER_MS or self._flushed_at_ms == end_ms:
            return False
        self._flushed_at_ms = end_ms
        return True

    def _known(self, decision: Decision) -> Transcript | None:
        """The final text, where the recogniser was led to an end at the first silence and none but silence followed."""
        last = self._newest
        if last is None or not last.flushed or not last.complete or (last.confidence or 0.0) < SURE:
            return None
        if decision.reason != "complete" or decision.speech_end_ms is None or last.audio_ms < decision.speech_end_ms:
            return None
        return Transcript(last.text, last.free_text, last.confidence, True, last.alternatives)

    def _heard_partial(self, partial: Partial) -> None:
        if not self._superseded(partial):
            self._newest = partial
        at_ms = (time.monotonic_ns() - self._notes.stamps.get("origin", time.monotonic_ns())) / 1e6
        if not self._notes.partials or self._notes.partials[-1][1] != partial.text:
            self._notes.partials.append((at_ms, partial.text))
        self._tools.bus.publish(
            PartialHeard(
                turn=self.name,
                text=partial.text,
                audio_ms=partial.audio_ms,
                confidence=partial.confidence,
                complete=partial.complete,
                extendable=partial.extendable,
            )
        )

    def _superseded(self, partial: Partial) -> bool:
        """Whether an answer to `flush` says more: it holds all speech so far, without the next chunk's wait."""
        newest = self._newest
        return newest is not None and newest.flushed and not partial.flushed and self._speech_end_ms <= newest.audio_ms

    def _consider(self, policy: EndOfSpeech) -> None:
        """Gives the newest partial to the policy and, where it is a sure command, has its reply prepared."""
        self._speech_end_ms = policy.speech_end_ms or 0
        partial = self._newest
        if partial is None:
            return
        sure = partial.complete and (partial.confidence or 0.0) >= SURE
        if self._tools.settings.prepare and sure:
            self._prepared.consider(partial)
        policy.read(
            Reading(
                partial.text,
                partial.audio_ms,
                partial.complete,
                partial.extendable,
                partial.confidence,
                partial.flushed,
                brief=self._prepared.brief(partial.text),
            )
        )

    def _decided(self, decision: Decision) -> None:
        notes = self._notes
        self._notes.stamp("decision")
        if decision.speech_end_ms is not None:
            notes.stamps["speech_end"] = notes.stamps["origin"] + decision.speech_end_ms * 1_000_000
        self._tools.bus.publish(SpeechEnded(turn=self.name, audio_ms=decision.at_ms, reason=decision.reason))
        log.info("listen ended (%s) after %d ms", decision.reason, decision.at_ms)

    # -- intent, action -------------------------------------------------------------------------------------------

    async def _understand(self, transcript: Transcript) -> Interpretation | None:
        tools = self._tools
        if not transcript.text or tools.mind.own_words(transcript.text):
            interpretation = None
        else:
            interpretation = await self._within(self._meaning(transcript), tools.settings.intent_deadline_s, "intent")
        self._notes.stamp("intent")
        self._notes.interpretation = interpretation
        tools.bus.publish(
            IntentRecognized(
                turn=self.name,
                intent=interpretation.intent if interpretation else None,
                slots=dict(interpretation.slots) if interpretation else {},
                confidence=transcript.confidence,
            )
        )
        log.info(
            "intent %s %.0f ms", interpretation and interpretation.intent, self._notes.between("text", "intent") or 0
        )
        return interpretation

    async def _meaning(self, transcript: Transcript) -> Interpretation | None:
        prepared = await self._prepared.interpretation_of(transcript)
        return prepared or await self._tools.mind.interpret(transcript, self._opening)

    async def _act(self, interpretation: Interpretation) -> tuple[Plan, Saying | None]:
        """Does what was asked, once, and gives the reply that is to be spoken."""
        tools = self._tools
        ready = self._prepared.take(interpretation)
        plan = ready.plan if ready is not None else tools.mind.plan(interpretation)
        saying = ready.saying if ready is not None else None
        self._notes.prepared = self._prepared.verdict
        if plan.act is not None:
            replacement = await self._within(plan.act(), tools.settings.action_deadline_s, "action")
            if replacement is not None and replacement.reply != plan.reply:
                if saying is not None:
                    saying.close()
                plan, saying = replacement, None
        self._notes.stamp("reply")
        self._notes.outcome = plan.outcome
        self._notes.question = (plan.question or interpretation) if plan.ask and not plan.ends else None
        tools.bus.publish(ActionDone(turn=self.name, intent=interpretation.intent, outcome=plan.outcome))
        log.info("action %.0f ms", self._notes.between("intent", "reply") or 0)
        return plan, saying

    # -- tts, play ------------------------------------------------------------------------------------------------

    async def _reply(self, plan: Plan, saying: Saying | None) -> None:
        self._show(State.THINKING, on=False)
        if not plan.reply:
            return
        self._notes.reply = strip_marks(plan.reply)
        try:
            await self._speak(saying or self._tools.voice.say(plan.reply))
        finally:
            self._tools.mind.answered(self._notes.interpretation, self._notes.reply)

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
            self.replying = False

    async def _speak_uncut(self, saying: Saying) -> None:
        settings, notes = self._tools.settings, self._notes
        await saying.started(settings.tts_deadline_s)
        notes.stamps["speech"] = max(saying.first_ns or 0, notes.stamps.get("reply", 0))
        notes.cached = saying.cached
        self.replying = True
        self._show(State.REPLYING)
        await self._tools.ear.play(
            saying.pieces(), saying.rate_hz, stall_s=settings.play_deadline_s, on_first=self._first_sample
        )

    def _first_sample(self, first_ns: int) -> None:
        self._notes.stamps["first"] = first_ns
        self._tools.bus.publish(ReplyStarted(turn=self.name))
        log.info("play: answered %.0f ms after the last word", self._notes.between("speech_end", "first") or 0)

    async def _apologise(self, reason: str, outcome: Outcome) -> None:
        """Says, or sounds, why there is no answer. Nothing that fails in here goes further."""
        self._notes.outcome = outcome
        self._show(State.LISTENING, on=False)
        self._show(State.THINKING, on=False)
        if outcome is Outcome.FAILED:
            self._show(State.ERROR)
        text = self._tools.mind.apology(reason)
        try:
            if text and reason != "failed_tts" and reason != "failed_play":
                self._notes.reply = strip_marks(text)
                await self._speak(self._tools.voice.say(text))
                return
        except StageError as error:
            log.warning("apology: %s", error)
        finally:
            self._show(State.ERROR, on=False)
        with contextlib.suppress(StageError):
            await self._tools.tone("error")

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
        return self._notes.record(self.name, self._opening.cause, self._opening.detection, self._restarts)
