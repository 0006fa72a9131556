"""Fakes with hands for the parts around a conversation: ear, loudspeaker, voice, agent, child.

Each is driven by methods named for what happens in the room or in the machine: `ear.speak(800)`, `recogniser.die()`,
`agent.timers_ring = True`. Tests with them run on the clock of tests/clock.py, which jumps.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from wyoming.event import Event

from appliance.actions.plan import Plan
from appliance.conversation.clients.sound import Listening, PlaybackResult
from appliance.conversation.context import Trigger, TurnContext
from appliance.conversation.conversation import Conversation
from appliance.conversation.loudspeaker import Loudspeaker
from appliance.conversation.machine import Phase
from appliance.errors import EngineError, PlayError, TtsError
from appliance.events import Bus, DeviceEvent
from appliance.intents.interpretation import Interpretation
from appliance.settings.conversation import ConversationSettings
from appliance.wire.message import AudioStop, Message, Ping, Pong
from appliance.wire.sound import Detection, Heard
from appliance.wire.stt import Chunk, Flush, Partial, Transcribe, Transcript
from tests.clock import settle

BLOCK_MS = 32
RATE_HZ = 16000
FOR_EVER_S = 3600.0

# -- a child and its connections ----------------------------------------------------------------------------------


class FakeConnection:
    """One end of a connection: what is sent is noted and handed to `answer`, which may put answers into `say`."""

    def __init__(self, answer: Callable[[FakeConnection, Event], None]) -> None:
        self.sent: list[Event] = []
        self.closed = False
        self._answer = answer
        self._coming: asyncio.Queue[Event | EngineError] = asyncio.Queue()

    def say(self, *messages: Message | Event | EngineError) -> None:
        for message in messages:
            self._coming.put_nowait(message.event() if isinstance(message, Message) else message)

    async def send(self, event: Event, timeout_s: float = 5.0) -> None:
        if self.closed:
            raise EngineError("send-failed", "The fake closed its connection.")
        self.sent.append(event)
        self._answer(self, event)

    async def receive(self, timeout_s: float | None = None) -> Event:
        try:
            async with asyncio.timeout(timeout_s):
                coming = await self._coming.get()
        except TimeoutError as error:
            raise EngineError("receive-timeout", "The fake said nothing.") from error
        if isinstance(coming, EngineError):
            raise coming
        return coming

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> FakeConnection:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class FakeChild:
    """A supervised engine: `answer` is its mind. `die` ends every connection, `gone` refuses new ones."""

    def __init__(self, answer: Callable[[FakeConnection, Event], None] = lambda connection, event: None) -> None:
        self.answer = answer
        self.connections: list[FakeConnection] = []
        self.suspected: list[EngineError] = []
        self.gone = False
        self.ready = True
        self.counters: dict[str, float] = {}

    def die(self) -> None:
        for connection in self.connections:
            connection.say(EngineError("closed", "The fake died."))
            connection.closed = True

    async def connect(self, timeout_s: float) -> FakeConnection:
        if self.gone:
            await asyncio.sleep(timeout_s)
            raise EngineError("not-ready", "The fake is not ready.")
        connection = FakeConnection(lambda connection, event: self.answer(connection, event))
        self.connections.append(connection)
        return connection

    def suspect(self, error: EngineError) -> None:
        self.suspected.append(error)

    async def outlast(self, word: asyncio.Future[Any], limit_s: float) -> bool:
        await asyncio.wait((word,), timeout=limit_s)
        return word.done()


class FakeRecogniser(FakeChild):
    """Hears `text` in whatever is said, with `partial` on the way."""

    def __init__(self, text: str = "what time is it", confidence: float | None = 0.9) -> None:
        super().__init__(self._hear)
        self.text = text
        self.confidence = confidence
        self.partial: tuple[str, float] | None = None
        """A complete reading told with every block, and its confidence."""
        self.hangs = False
        self.heard_ms = 0

    def _hear(self, connection: FakeConnection, event: Event) -> None:
        if Ping.matches(event):
            connection.say(Pong())
        if self.hangs:
            return
        if Chunk.matches(event):
            chunk = Chunk.from_event(event)
            self.heard_ms = chunk.timestamp + len(chunk.audio) // 32
        if (Chunk.matches(event) or Flush.matches(event)) and self.partial is not None:
            text, confidence = self.partial
            connection.say(
                Partial(text, self.heard_ms, confidence=confidence, complete=True, extendable=False, slots_ahead=0)
            )
        if AudioStop.matches(event):
            connection.say(Transcript(self.text, confidence=self.confidence, complete=True))


# -- ear and loudspeaker ------------------------------------------------------------------------------------------


class FakeEar:
    """Microphone and card. `speak` and `be_silent` are the room; `played` is what came out of the loudspeaker."""

    def __init__(self) -> None:
        self.on_detection: Callable[[Detection], None] = lambda detection: None
        self.played: list[tuple[str, bytes, int]] = []
        """(voice, samples, percent it had) of all that sounded, also in part."""
        self.cancelled = 0
        self.volumes: dict[str, int] = {"reply": 50, "chime": 50, "alarm": 50}
        self.broken: PlayError | None = None
        self.slow_to_cancel_s = 0.0
        self.at_ms = 0
        self.opened: list[int | None] = []
        self.sounding: list[str] = []
        self.most_at_once = 0
        self._listening: Listening | None = None

    @property
    def open(self) -> bool:
        return self._listening is not None

    @contextlib.asynccontextmanager
    async def listen(self, from_ms: int | None) -> AsyncIterator[Listening]:
        listening = self._listening = Listening(lossless=True)
        self.opened.append(from_ms)
        try:
            yield listening
        finally:
            listening.close()
            if self._listening is listening:
                self._listening = None

    async def speak(self, ms: int, level_dbfs: float = -30.0) -> None:
        await self._sound(ms, 0.9, level_dbfs)

    async def be_silent(self, ms: int) -> None:
        await self._sound(ms, 0.0, -70.0)

    async def say_a_command(self) -> None:
        """A second of speech, and silence until the device knows that it was all."""
        await settle()
        await self.speak(1000)
        await self.be_silent(1200)

    async def _sound(self, ms: int, speech: float, level_dbfs: float) -> None:
        for _ in range(ms // BLOCK_MS):
            self.at_ms += BLOCK_MS
            if self._listening is not None:
                block = Heard(self.at_ms, int(time.monotonic() * 1e9), speech, level_dbfs, audio=bytes(BLOCK_MS * 32))
                await self._listening.put(block)
            await asyncio.sleep(BLOCK_MS / 1000)
            await settle()

    async def play(
        self,
        pieces: AsyncIterator[bytes],
        rate_hz: int,
        voice: str = "reply",
        stall_s: float = 2.0,
        on_first: Callable[[int], None] = lambda first_ns: None,
    ) -> PlaybackResult:
        self.sounding.append(voice)
        self.most_at_once = max(self.most_at_once, len(self.sounding))
        try:
            if self.broken is not None:
                raise self.broken
            async for piece in pieces:
                on_first(time.monotonic_ns())
                self.played.append((voice, piece, self.volumes[voice]))
                await asyncio.sleep(len(piece) / 2 / rate_hz)
        except asyncio.CancelledError:
            self.cancelled += 1
            if self.slow_to_cancel_s:
                await asyncio.sleep(self.slow_to_cancel_s)
            raise
        finally:
            self.sounding.remove(voice)
        return PlaybackResult(0, time.monotonic_ns(), False)

    async def set_volume(self, percent: int, voice: str = "reply") -> None:
        self.volumes[voice] = percent

    def detect(self, name: str = "alexa", at_ms: int | None = None) -> None:
        """The wake engine hears a word that ends at `at_ms` (now)."""
        self.on_detection(Detection(name, self.at_ms if at_ms is None else at_ms, 0.99, time.monotonic_ns()))


# -- voice --------------------------------------------------------------------------------------------------------


class FakeSaying:
    """A text being spoken: one piece of `length_s`."""

    def __init__(self, voice: FakeVoice, text: str) -> None:
        self.text = text
        self.rate_hz = RATE_HZ
        self.cached = False
        self.first_ns: int | None = None
        self.closed = False
        self._voice = voice

    async def started(self, deadline_s: float) -> None:
        await asyncio.sleep(self._voice.slow_s)
        if self._voice.broken:
            raise TtsError("broken", "The fake voice is broken.")
        self.first_ns = time.monotonic_ns()

    async def pieces(self) -> AsyncIterator[bytes]:
        yield self.text.encode().ljust(int(self._voice.length_s * RATE_HZ) * 2, b"\0")

    def close(self) -> None:
        self.closed = True


class FakeVoice:
    """The synthesiser's client."""

    def __init__(self) -> None:
        self.sayings: list[FakeSaying] = []
        self.slow_s = 0.0
        self.length_s = 2.0
        self.broken = False

    def say(self, text: str) -> FakeSaying:
        saying = FakeSaying(self, text)
        self.sayings.append(saying)
        return saying


# -- agent --------------------------------------------------------------------------------------------------------


class FakeAgent:
    """Understands the texts in `meanings`; each intent has a plan in `plans`, else it answers with its own name."""

    def __init__(self) -> None:
        self.meanings: dict[str, Interpretation] = {"what time is it": Interpretation("HassGetCurrentTime")}
        self.plans: dict[str, Plan] = {}
        self.slow_s = 0.0
        self.accept_from = 0.4
        self.interpreted: list[Transcript] = []
        self.acted: list[str] = []
        self.timers_ring = False
        self.broken: Exception | None = None

    def begin(self, trigger: Trigger) -> Transcribe:
        return Transcribe()

    async def interpret(self, transcript: Transcript, trigger: Trigger) -> Interpretation | None:
        self.interpreted.append(transcript)
        await asyncio.sleep(self.slow_s)
        if self.broken is not None:
            raise self.broken
        if transcript.confidence is not None and transcript.confidence < self.accept_from:
            return None
        return self.meanings.get(transcript.text)

    def plan(self, interpretation: Interpretation) -> Plan:
        return self.plans.get(interpretation.intent) or Plan(interpretation.intent)

    def acts(self, intent: str, work: Callable[[], Awaitable[Plan | None]], reply: str = "done") -> None:
        """Carrying out `intent` does `work`."""
        self.plans[intent] = Plan(reply, act=work)

    def apology(self, reason: str, command: str = "") -> str:
        return f"sorry: {reason}" + (f" {command}" if command else "")

    def brief(self, interpretation: Interpretation) -> bool:
        return True

    def answered(self, interpretation: Interpretation | None, reply: str) -> None:
        pass

    def own_words(self, text: str) -> bool:
        return False

    def hush(self) -> bool:
        rang, self.timers_ring = self.timers_ring, False
        return rang

    def ringing(self) -> bool:
        return self.timers_ring


# -- the whole of it ----------------------------------------------------------------------------------------------


class Room:
    """A conversation among fakes. `async with` runs it."""

    def __init__(self, **settings: Any) -> None:
        self.bus = Bus()
        self.ear = FakeEar()
        self.recogniser = FakeRecogniser()
        self.voice = FakeVoice()
        self.agent = FakeAgent()
        self.loudspeaker = Loudspeaker(self.ear, lambda: 50)
        self.events: list[DeviceEvent] = []
        context = TurnContext(
            settings=ConversationSettings(**settings),
            vad_threshold=0.5,
            bus=self.bus,
            ear=self.ear,  # type: ignore[arg-type]
            stt=self.recogniser,  # type: ignore[arg-type]
            voice=self.voice,  # type: ignore[arg-type]
            agent=self.agent,
            loudspeaker=self.loudspeaker,
        )
        self.conversation = Conversation(context)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Room:
        self._tasks = [asyncio.create_task(self.conversation.run()), asyncio.create_task(self._note())]
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _note(self) -> None:
        async for event in self.bus.subscribe("room", 10000):
            self.events.append(event)

    @property
    def said(self) -> list[str]:
        """What was heard of the device, in order: texts, and the names of voices for tones."""
        return [
            piece.rstrip(b"\0").decode() if voice == "reply" and piece[:1].isalpha() else voice
            for voice, piece, _ in self.ear.played
        ]

    async def thinks(self) -> None:
        """A command was said, and the device thinks about it, for as long as it may."""
        self.agent.slow_s = FOR_EVER_S
        self.conversation.open(Trigger("button"))
        asyncio.get_running_loop().create_task(self.ear.say_a_command())
        while self.conversation.phase is not Phase.THINKING:  # noqa: ASYNC110 - on a clock that jumps
            await asyncio.sleep(0.05)

    async def speaks(self, length_s: float = 60.0) -> None:
        """The device gives a long reply."""
        self.voice.length_s = length_s
        self.conversation.command("what time is it")
        await asyncio.sleep(0.1)
