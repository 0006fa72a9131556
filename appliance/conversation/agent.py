"""In: a final text. Out: what it means, what will be said, what will be done: intents and actions as one turn needs them."""

from __future__ import annotations

import asyncio
import difflib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from appliance.actions import registry
from appliance.actions.agenda import Agenda, Entry
from appliance.actions.clock import local_now
from appliance.actions.device import HomeHandler, SkillContext
from appliance.actions.lists import Lists
from appliance.actions.plan import Plan
from appliance.actions.stopwatch import Stopwatch
from appliance.actions.timers import Timer, Timers
from appliance.conversation.clients.sound import SoundClient
from appliance.conversation.context import Trigger
from appliance.conversation.levels import Levels, MuteSwitch
from appliance.conversation.meanings import Meanings
from appliance.conversation.phrases import phrases
from appliance.conversation.search_thread import SearchThread
from appliance.errors import GrammarError
from appliance.events import Bus, MuteChanged, State, StateChanged, TurnRecord, VolumeChanged
from appliance.grammar.source import GrammarSource
from appliance.intents.decide import decide
from appliance.intents.home import Home, load_home
from appliance.intents.interpretation import Interpretation
from appliance.intents.recognise import Interpreter
from appliance.intents.replies import Replies
from appliance.intents.rescue import Rescuer
from appliance.intents.source import LOCAL_INTENTS, following, grammar_source
from appliance.settings import Settings
from appliance.wire.stt import Transcribe, Transcript

log = logging.getLogger(__name__)

REMEMBERED_S = 20.0
"""How long 'and the bedroom too' still refers to the last command."""
OWN_WORDS_S = 4.0
"""How long after a reply its words may come back by the microphone."""
OWN_WORDS_ALIKE = 0.8
"""Share of alike letters (Ratcliff-Obershelp) from which a text is the device's own."""
PLACES = {"area", "floor", "name"}
"""Slots that an elliptic sentence can replace; without one of them nothing can be referred to."""
RESCUED_WITHIN = 0.2
"""Share of sounds that may differ before a free text is no longer taken for the nearest command."""
MOST_TERMS = 200
"""Hotwords given to a free recogniser."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What the device said last."""

    text: str
    at_s: float


class Agent:
    """The mind of a device in its home. For the event loop's thread; searching is done on another one."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        ear: SoundClient,
        on_ring: Callable[[Timer], None],
        last_turn: Callable[[], TurnRecord | None],
    ) -> None:
        """Reads the home and compiles the sentences. Raises GrammarError where a file cannot be used at all."""
        self._settings = settings
        self._bus = bus
        self._ear = ear
        self._last_turn = last_turn
        self.clock: Callable[[], datetime] = local_now
        """The time of day, for people."""
        self.problems: list[GrammarError] = []
        self.home_problem: GrammarError | None = None
        self.replies = Replies(settings.device.language)
        self.levels = Levels(settings.device.state_dir / "levels.json", settings.sound.volume_percent)
        self._mute = MuteSwitch(settings.device.state_dir / "mute.json")
        ear.begin_muted(self._mute.muted)
        self.on_tell: Callable[[str], None] = lambda text: log.info("told to nobody: %s", text)
        """Speaks a text of the device's own when nobody talks; the app provides it."""
        self.on_alarm: Callable[[], None] = lambda: None
        """Something of the agenda rings; the app provides the sound."""
        state, ring_s = settings.device.state_dir, settings.timers.ring_s
        self.timers = Timers(state / "timers.json", on_ring, bus.publish, ring_s=ring_s, on_missed=self._timer_missed)
        self.agenda = Agenda(state / "agenda.json", self._due, self._missed, ring_s=ring_s)
        lists = Lists(state / "lists.json")
        lists.load()
        self.context = SkillContext(_Device(self), self.timers, self.agenda, lists, Stopwatch(), self.replies)
        self.meanings = Meanings()
        self._search = SearchThread()
        self._said: _Said | None = None
        self._before: tuple[Interpretation, float] | None = None
        self._folder: Path | None = None
        self._rescuer: Rescuer | None = None
        self._grammars: tuple[Path, ...] = ()
        self.wanted_home = self._first_home()
        """The newest home that was asked for; `home` follows once it is compiled."""
        self._take(self._compile(self.wanted_home))

    # -- what can be said -----------------------------------------------------------------------------------------

    def _first_home(self) -> Home:
        """Of the settings' file; without names where that cannot be used: timers and the rest work all the same."""
        if (file := self._settings.intents.home_file) is not None:
            try:
                return load_home(file)
            except GrammarError as error:
                log.warning("%s Going on without its rooms and names.", error)
                self.home_problem = error
        return Home(area=self._settings.device.area)

    def _compile(self, home: Home) -> tuple[Home, GrammarSource, Interpreter]:
        problems: list[GrammarError] = []
        source = grammar_source(home, self._settings.device.language, self._settings.intents, problems)
        for problem in problems:
            log.warning("%s", problem)
        self.problems = problems
        return home, source, Interpreter(source, home)

    def _take(self, compiled: tuple[Home, GrammarSource, Interpreter]) -> None:
        self.home, self._source, self._interpreter = compiled
        self.context = replace(self.context, answers=self._source.answers)
        self._rescuer = None
        if self._folder is not None:
            self.write_grammar(self._folder)

    def write_grammar(self, folder: Path) -> None:
        """Writes the grammar's files into `folder`, from which the recogniser reads them: one for a turn of its own,
        one for a turn that may refer to what was said before it."""
        self._folder = folder
        before = self._grammars
        self._grammars = (self._source.write(folder), following(self._source).write(folder))
        for file in folder.glob("*.grammar.json"):
            if file not in (*self._grammars, *before):  # those before may still be wanted by a turn under way
                file.unlink(missing_ok=True)

    def utterances_to_expect(self) -> tuple[Transcribe, ...]:
        """Every way in which the recogniser will be asked to listen, so that it can compile ahead."""
        language = self._settings.device.language
        return tuple(Transcribe(language=language, grammar=str(file)) for file in self._grammars)

    async def expect_free_text(self) -> None:
        """The recogniser knows no grammar: near misses of free text are to be rescued. Takes a second beside all else."""
        if self._rescuer is None:
            self._rescuer = await self._search.run(lambda: Rescuer(self._source, self._interpreter))

    async def set_home(self, home: Home) -> None:
        """Takes over other rooms and names; compiled beside the running conversation."""
        self.wanted_home = home
        compiled = await asyncio.to_thread(self._compile, home)
        if self.wanted_home is home:  # a newer change came meanwhile: this one is out of date, whoever is done last
            self._take(compiled)

    def serve_home(self, handler: HomeHandler | None) -> None:
        """Connects or disconnects the home server."""
        self.context = replace(self.context, home=handler)

    def begin(self, trigger: Trigger) -> Transcribe:
        question = trigger.question.question if trigger.question is not None else None
        context = {"question": question.slot, "choices": list(question.choices)} if question is not None else None
        names = [area.name for area in self.home.areas] + [entity.name for entity in self.home.entities]
        return Transcribe(
            language=self._settings.device.language,
            grammar=None if not self._grammars else str(self._grammars[1 if self._context(trigger) else 0]),
            terms=tuple(dict.fromkeys(names))[:MOST_TERMS],
            context=context,
        )

    # -- what it means --------------------------------------------------------------------------------------------

    async def interpret(self, transcript: Transcript, trigger: Trigger) -> Interpretation | None:
        context = self._context(trigger)
        return await self._search.run(lambda: self._interpret(transcript, context))

    def _interpret(self, transcript: Transcript, context: Interpretation | None) -> Interpretation | None:
        first = decide(
            transcript, self._settings.intents, lambda text: self.meanings.of(self._interpreter, text, context)
        )
        if first is None and transcript.confidence is None and self._rescuer is not None:
            near = self._rescuer.rescue(transcript.text, context)
            first = near.interpretation if near is not None and near.distance <= RESCUED_WITHIN else None
        return first

    def _context(self, trigger: Trigger) -> Interpretation | None:
        """What the next sentence may refer to: a question, or the last command while it is fresh."""
        if trigger.question is not None:
            return trigger.question
        if self._before is None or time.monotonic() - self._before[1] > REMEMBERED_S:
            return None
        before = self._before[0]
        return before if PLACES & before.slots.keys() else None

    def plan(self, interpretation: Interpretation) -> Plan:
        return registry.plan(interpretation, self.context)

    def brief(self, interpretation: Interpretation) -> bool:
        return interpretation.intent in LOCAL_INTENTS and interpretation.question is None

    # -- what was said --------------------------------------------------------------------------------------------

    def answered(self, interpretation: Interpretation | None, reply: str) -> None:
        """A reply was given: 'repeat that' and follow-ups refer to it."""
        self._said = _Said(reply, time.monotonic())
        if interpretation is not None and interpretation.question is None:
            self._before = (interpretation.bare(), time.monotonic())

    def forget(self) -> None:
        """Time went by: the next sentence refers to nothing that was said before it."""
        self._before = None

    def apology(self, reason: str, command: str = "") -> str:
        for key in (reason, reason.partition("_")[0] if reason.startswith("failed") else reason):
            try:
                return self.replies.say(key, command=command)
            except KeyError:
                continue
        return ""

    def own_words(self, text: str) -> bool:
        said = self._said
        if said is None or time.monotonic() - said.at_s > OWN_WORDS_S or len(text) < 8:
            return False
        return difflib.SequenceMatcher(None, text.casefold(), said.text.casefold()).ratio() >= OWN_WORDS_ALIKE

    def hush(self) -> bool:
        timers, agenda = self.timers.silence(), self.agenda.silence()
        return timers or agenda

    def ringing(self) -> bool:
        """Whether a timer or an alarm rings."""
        return bool(self.timers.ringing() or self.agenda.ringing())

    # -- what was promised ----------------------------------------------------------------------------------------

    def _due(self, entry: Entry) -> None:
        if entry.text:
            self.on_tell(self.replies.say("reminder_due", text=entry.text))
        else:
            self.on_alarm()

    def _missed(self, entry: Entry, why: str) -> None:
        when = self.replies.moment(entry.moment(), self.agenda.now())
        self.on_tell(self.replies.say(f"{entry.kind}_{why}", when=when, text=entry.text))

    def _timer_missed(self, timer: Timer, why: str) -> None:
        if timer.command is not None:
            self.on_tell(self.replies.say("command_missed", command=timer.command))
        elif why == "unanswered":
            self.on_tell(self.replies.say("timer_unanswered", name=timer.name or self.replies.length(timer.started_s)))

    def phrases(self) -> tuple[str, ...]:
        """What the device will likely say, for the phrase cache."""
        return phrases(self.replies, self.clock())

    # -- loudness and microphone ----------------------------------------------------------------------------------

    async def set_volume(self, percent: int) -> None:
        """Loudness of the voice, 0..100; kept over a restart."""
        await asyncio.to_thread(self.levels.set, "reply", percent)
        await self._ear.set_volume(self.levels.percent("reply"))
        self._bus.publish(VolumeChanged(percent=self.levels.percent("reply")))

    async def reset_levels(self) -> None:
        """Every voice as loud as the settings say; what was changed at the device is forgotten."""
        voices = list(self.levels.all())
        await asyncio.to_thread(self.levels.reset)
        for voice in voices:
            await self._ear.set_volume(self.levels.percent(voice), voice)
        self._bus.publish(VolumeChanged(percent=self.levels.percent("reply")))

    @property
    def muted(self) -> bool:
        """Whether the microphone is closed on purpose."""
        return self._ear.muted

    async def set_mute(self, muted: bool) -> None:
        """Closes or opens the microphone; a power cut changes nothing in it."""
        await self._ear.mute(muted)
        await asyncio.to_thread(self._mute.set, muted)
        self._bus.publish(MuteChanged(muted=muted))
        self._bus.publish(StateChanged(state=State.MUTED, on=muted))

    async def recall(self) -> None:
        """Loudness and mute as they were before the restart."""
        for voice, percent in self.levels.all().items():
            await self._ear.set_volume(percent, voice)
        if self.muted:
            log.info("muted, as before the restart")
            self._bus.publish(MuteChanged(muted=True))
            self._bus.publish(StateChanged(state=State.MUTED))

    def response_ms(self) -> float | None:
        record = self._last_turn()
        return record.ms.get("response") if record is not None else None

    def last_reply(self) -> str | None:
        return self._said.text if self._said is not None else None


class _Device:
    """The device as skills see it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def now(self) -> datetime:
        return self._agent.clock()

    def volume(self) -> int:
        return self._agent.levels.percent("reply")

    async def set_volume(self, percent: int) -> None:
        await self._agent.set_volume(percent)

    async def mute(self) -> None:
        await self._agent.set_mute(True)

    def last_reply(self) -> str | None:
        return self._agent.last_reply()

    def response_ms(self) -> float | None:
        return self._agent.response_ms()
