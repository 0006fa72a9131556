"""In: wake words, button presses and commands. Out: one turn after the other, follow-ups and barge-in included."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from appliance.conversation import tone
from appliance.conversation.context import Trigger, TurnContext
from appliance.conversation.turn import Turn
from appliance.errors import ApplianceError
from appliance.events import State, StateChanged, TurnRecord, WakeDetected
from appliance.wire.sound import STOP_WORD, Detection

log = logging.getLogger(__name__)

OWN_ECHO_S = 0.6
"""How long after its last word the device may still take it for a wake word: 0.3 s each for the room and the engine."""
PROMISED = 64
"""Commands that wait for their turn; more than there can be timers."""
RECORDS = 50
"""Turns remembered for `appliance status`."""


class Conversation:
    """Takes turns. `run` is its life; `open`, `press` and `stop` are its hands."""

    def __init__(self, tools: TurnContext) -> None:
        self._tools = tools
        self._turn: Turn | None = None
        self._next: asyncio.Queue[Trigger] = asyncio.Queue(1)
        self._promised: deque[Trigger] = deque(maxlen=PROMISED)
        self._speech = asyncio.Lock()
        self._count = 0
        self._announcement: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._announced: str | None = None
        self._said, self._said_s = "", 0.0
        self.records: deque[TurnRecord] = deque(maxlen=RECORDS)
        tools.ear.on_detection = self._detected

    @property
    def busy(self) -> bool:
        return self._turn is not None

    @property
    def listening(self) -> bool:
        return self._turn is not None and self._turn.listening

    @property
    def speaking(self) -> bool:
        return self._announcement is not None or (self._turn is not None and self._turn.replying)

    def open(self, trigger: Trigger) -> None:
        """Opens a turn; a reply that is being spoken is cut (barge-in), a turn that listens goes on."""
        for sound in (self._announcement, self._alarm):
            if sound is not None:
                sound.cancel()
        if self._turn is not None:
            if self._turn.listening:
                return
            self._turn.cut()
        if self._next.full():
            waiting = self._next.get_nowait()
            log.info("turn: opened by %s while %s waited: the newer counts", trigger.cause, waiting.cause)
            if waiting.text is not None:
                self._promised.appendleft(waiting)
        self._next.put_nowait(trigger)

    def let_go(self, ended: bool) -> None:
        """The finger is off the button of a held turn: its speech is over (`ended`), or the turn goes on by itself."""
        if self._turn is not None and self._turn.listening:
            self._turn.let_go(ended)
        elif not self._next.empty():
            trigger = self._next.get_nowait()
            if not (trigger.held and ended):  # let go before it began: nothing can have been said
                self._next.put_nowait(replace(trigger, held=False))

    def command(self, text: str) -> None:
        """Has a sentence carried out as if it had been said (a timer's command), after the turn under way and in order."""
        self._promised.append(Trigger("command", text=text))
        self._take_promised()

    def _take_promised(self) -> None:
        """The next promised command gets its turn, if nothing else does now."""
        if self._promised and self._turn is None and self._next.empty():
            self._next.put_nowait(self._promised.popleft())

    def stop(self) -> bool:
        """Stops speaking, or listening; False where there was nothing to stop."""
        if self._announcement is not None:
            self._announcement.cancel()
            return True
        if self._turn is None:
            return False
        if self._turn.listening:
            self._turn.cancel()
        else:
            self._turn.cut()
        return True

    def hush(self) -> bool:
        """Silences all that sounds: ringing timers, a reply, an announcement. Whether anything did."""
        rang = self._tools.agent.hush()
        if self._alarm is not None:
            self._alarm.cancel()
        return (self.speaking and self.stop()) or rang

    async def run(self) -> None:
        """Takes turns until cancelled."""
        while True:
            trigger: Trigger | None = await self._next.get()
            follow_ups = 0
            while trigger is not None:
                turn = await self._take(trigger)
                question = turn.asks
                trigger = None
                settings = self._tools.settings
                if question is not None and settings.follow_up and follow_ups < settings.follow_up_turns:
                    follow_ups += 1
                    if self._next.empty():
                        trigger = Trigger("follow_up", question=question)
            self._take_promised()

    async def _take(self, trigger: Trigger) -> Turn:
        self._count += 1
        turn = self._turn = Turn(f"t{self._count}", trigger, self._tools)
        try:
            async with self._speech:
                self.records.append(await turn.take())
        finally:
            self._turn = None
            self._said, self._said_s = turn.reply or "", time.monotonic()
        return turn

    async def announce(self, text: str, chime: bool = False) -> None:
        """Speaks a text of somebody's own, after the turn under way. Raises the stage's error where it cannot."""
        async with self._speech:
            self._announced = text
            self._announcement = asyncio.ensure_future(self._say(text, chime))
            try:
                await asyncio.wait((self._announcement,))
                if not self._announcement.cancelled():
                    self._announcement.result()
            finally:
                self._announcement.cancel()
                self._announcement = self._announced = None
                self._said, self._said_s = text, time.monotonic()
                self._tools.bus.publish(StateChanged(state=State.REPLYING, on=False))

    async def _say(self, text: str, chime: bool) -> None:
        tools = self._tools
        if chime:
            await tools.tone("announce")
        saying = tools.voice.say(text)
        try:
            await saying.started(tools.settings.tts_deadline_s)
            tools.bus.publish(StateChanged(state=State.REPLYING))
            await tools.ear.play(saying.pieces(), saying.rate_hz, stall_s=tools.settings.play_deadline_s)
        finally:
            saying.close()

    async def ring(self, ringing: Callable[[], bool]) -> None:
        """Sounds the alarm for as long as `ringing` says; pauses while a turn is under way."""
        while ringing():
            with contextlib.suppress(ApplianceError):
                if not self.busy:
                    await self._sound_alarm()
            await asyncio.sleep(0.2)

    async def _sound_alarm(self) -> None:
        """The alarm once; `open` and `hush` end it at once."""
        self._alarm = asyncio.create_task(self.tone("alarm", voice="alarm"), name="alarm")
        try:
            await asyncio.wait((self._alarm,))
            if not self._alarm.cancelled():
                self._alarm.result()
        finally:
            self._alarm.cancel()
            self._alarm = None

    async def tone(self, name: str, voice: str = "chime") -> None:
        """Plays a tone and waits for its end."""

        async def pieces() -> AsyncIterator[bytes]:
            yield tone.samples(name)

        await self._tools.ear.play(pieces(), tone.RATE_HZ, voice)

    def _own(self, word: str) -> bool:
        """Whether the device is saying `word` itself, or just did: what the echo canceller leaves may be enough to hear."""
        said = self._said if time.monotonic() - self._said_s < OWN_ECHO_S else ""
        if self.speaking:
            said = self._announced or (self._turn.reply if self._turn is not None else None) or ""
        return word.replace("_", " ") in said.casefold()

    def _detected(self, detection: Detection) -> None:
        if self._own(detection.name):
            log.info("wake %s (%.2f): its own voice", detection.name, detection.score)
            return
        if detection.name == STOP_WORD:
            log.info("%s (%.2f)%s", detection.name, detection.score, "" if self.hush() else ": nothing to silence")
            return
        self._tools.bus.publish(
            WakeDetected(
                wake_word=detection.name,
                score=detection.score,
                level_dbfs=detection.level_dbfs,
                direction_deg=detection.direction_deg,
            )
        )
        log.info("wake %s (%.2f)", detection.name, detection.score)
        self.open(Trigger("wake", detection, detection.timestamp))
