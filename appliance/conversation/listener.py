"""In: the open microphone and one utterance. Out: when the person has finished; meanwhile the reply is prepared."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

from appliance.conversation.clients.sound import Listening
from appliance.conversation.clients.stt import Transcription
from appliance.conversation.context import Trigger, TurnContext
from appliance.conversation.endpoint import SURE, EndOfSpeechDecision, EndpointPolicy, PartialReading
from appliance.conversation.prepare import Prepared
from appliance.conversation.trace import Trace
from appliance.errors import EngineError
from appliance.events import LevelMeasured, PartialHeard, SpeechEnded
from appliance.wire.sound import Heard
from appliance.wire.stt import Partial, Transcript

log = logging.getLogger(__name__)

RELEASE_TAIL_MS = 120
"""Audio still listened to after the finger let go: what was said is on its way, and people let go early."""
BEFORE_SPEECH_MS = 300
"""Audio that the recogniser keeps when it begins again."""
FLUSH_AFTER_MS = 60
"""Silence after which the recogniser is asked for all it has: two blocks, so that a stop consonant asks for nothing."""


class Listener:
    """The listening of one turn. Give `heard_partial` to the utterance; `until_end_of_speech` is all of it."""

    def __init__(self, turn: str, trigger: Trigger, context: TurnContext, trace: Trace, prepared: Prepared) -> None:
        self._turn = turn
        self._trigger = trigger
        self._context = context
        self._trace = trace
        self._prepared = prepared
        self._newest: Partial | None = None
        self._origin_ms = 0
        self.until_ms: int | None = None
        """Where listening ended, on the microphone's time line."""
        self._flushed_at_ms: int | None = None
        self._speech_end_ms = 0
        self._held = trigger.held
        self._tail_ms: int | None = None

    def let_go(self, ended: bool) -> None:
        """The finger is off the button: speech is over (`ended`), or its end is decided as always."""
        if self._held and ended:
            self._tail_ms = RELEASE_TAIL_MS
        self._held = self._held and ended

    async def until_end_of_speech(self, listening: Listening, utterance: Transcription) -> EndOfSpeechDecision:
        """The decision, noted and told. Raises EngineError."""
        settings, detection = self._context.settings, self._trigger.detection
        policy = EndpointPolicy(
            settings, self._context.vad_threshold, detection.level_dbfs if detection is not None else None
        )
        async for block in self._blocks(listening):
            start_ms = self._place(block)
            await utterance.hear(block.audio)
            length_ms = len(block.audio) // 32
            policy.heard(start_ms, length_ms, block.speech, block.level_dbfs)
            self._context.bus.publish(LevelMeasured(level_dbfs=block.level_dbfs))
            if settings.flush and self._flush_due(policy):
                await utterance.flush()
            self._consider(policy)
            if policy.took_back():
                self._newest = None
                await utterance.begin_again(BEFORE_SPEECH_MS)
            decision = self._by_hand(policy, length_ms) if self._held else policy.decide()
            if decision is not None:
                self._decided(decision)
                return decision
        raise EngineError("deaf", "The microphone was closed.", "listen")

    def _by_hand(self, policy: EndpointPolicy, length_ms: int) -> EndOfSpeechDecision | None:
        """The end of speech by the button; the longest utterance holds here too."""
        if self._tail_ms is not None:
            self._tail_ms -= length_ms
            if self._tail_ms <= 0:
                return policy.ended("released")
        decision = policy.decide()
        return decision if decision is not None and decision.reason == "too_long" else None

    async def _blocks(self, listening: Listening) -> AsyncIterator[Heard]:
        """Blocks; a microphone that gives nothing ends them with an error."""
        blocks = aiter(listening)
        while True:
            try:
                async with asyncio.timeout(self._context.ready_s):
                    block = await anext(blocks)
            except TimeoutError as error:
                raise EngineError("deaf", "The microphone gives no sound.", "listen") from error
            yield block

    def _place(self, block: Heard) -> int:
        """Where the block lies, ms since the utterance's first sample; notes when that sample was captured."""
        if "origin" not in self._trace.stamps:
            self._trace.stamps["origin"] = block.mono_ns - len(block.audio) // 32 * 1_000_000
            self._origin_ms = block.timestamp
            if self._trigger.from_ms is not None and self._trigger.cause == "wake" and self._trigger.detection:
                self._trace.stamps["wake"] = self._trigger.detection.mono_ns
                self._trace.noise_dbfs = self._trigger.detection.noise_dbfs
        return block.timestamp - self._origin_ms

    def _flush_due(self, policy: EndpointPolicy) -> bool:
        end_ms = policy.speech_end_ms
        if end_ms is None or policy.silence_ms < FLUSH_AFTER_MS or self._flushed_at_ms == end_ms:
            return False
        self._flushed_at_ms = end_ms
        return True

    def known(self, decision: EndOfSpeechDecision) -> Transcript | None:
        """The final text, where the recogniser was led to an end at the first silence and none but silence followed."""
        last = self._newest
        if last is None or not last.flushed or not last.complete or (last.confidence or 0.0) < SURE:
            return None
        if decision.reason != "complete" or decision.speech_end_ms is None or last.audio_ms < decision.speech_end_ms:
            return None
        return Transcript(last.text, last.free_text, last.confidence, True, last.alternatives)

    def heard_partial(self, partial: Partial) -> None:
        """A reading arrived."""
        if not self._superseded(partial):
            self._newest = partial
        at_ms = (time.monotonic_ns() - self._trace.stamps.get("origin", time.monotonic_ns())) / 1e6
        if not self._trace.partials or self._trace.partials[-1][1] != partial.text:
            self._trace.partials.append((at_ms, partial.text))
        self._context.bus.publish(
            PartialHeard(
                turn=self._turn,
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

    def _consider(self, policy: EndpointPolicy) -> None:
        """Gives the newest partial to the policy and, where it is a sure command, has its reply prepared."""
        self._speech_end_ms = policy.speech_end_ms or 0
        partial = self._newest
        if partial is None:
            return
        sure = partial.complete and (partial.confidence or 0.0) >= SURE
        if self._context.settings.prepare and sure:
            self._prepared.consider(partial)
        policy.read(
            PartialReading(
                partial.text,
                partial.audio_ms,
                partial.complete,
                partial.extendable,
                partial.slots_ahead,
                partial.confidence,
                more_expected=partial.more_expected,
                flushed=partial.flushed,
                brief=self._prepared.brief(partial.text),
            )
        )

    def _decided(self, decision: EndOfSpeechDecision) -> None:
        trace = self._trace
        self.until_ms = self._origin_ms + decision.at_ms
        trace.stamp("decision")
        if decision.speech_end_ms is not None:
            trace.stamps["speech_end"] = trace.stamps["origin"] + decision.speech_end_ms * 1_000_000
        self._context.bus.publish(SpeechEnded(turn=self._turn, audio_ms=decision.at_ms, reason=decision.reason))
        log.info("listen ended (%s) after %d ms", decision.reason, decision.at_ms)
