"""Promises are kept once, in time, or told; the guards know whom they guard against. On fakes and a fake clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from appliance.actions.agenda import ALARM, REMINDER, Agenda, Entry
from appliance.actions.moment import ClockTime
from appliance.actions.plan import Plan
from appliance.actions.timers import COMMAND_LATE_S, Clock, Timer, Timers
from appliance.conversation import conversation as conversation_module
from appliance.conversation.context import Trigger
from appliance.conversation.conversation import Conversation
from appliance.conversation.turn import Turn
from appliance.events import Bus, Outcome
from appliance.intents.interpretation import Interpretation
from appliance.settings.conversation import ConversationSettings
from tests.unit.test_actions import FakeHome, Room

NOW = datetime(2026, 11, 21, 15, 20)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    made = Room(tmp_path, home=FakeHome())
    made.device.clock, made.now_s = NOW, NOW.timestamp()
    return made


# -- commands that were put off, between turns -------------------------------------------------------------------------


class FakeTurn:
    """A turn that ends when its hands let it."""

    taken: ClassVar[list[FakeTurn]] = []

    def __init__(self, name: str, trigger: Trigger, context: Any, signal: Any) -> None:
        self.trigger, self.over = trigger, asyncio.Event()
        self.asks = self.listened_until_ms = None
        self.finished = False
        FakeTurn.taken.append(self)

    async def take(self) -> None:
        await self.over.wait()
        self.finished = True

    def record(self) -> Any:
        return SimpleNamespace()


@pytest.fixture
async def talk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Conversation]:
    FakeTurn.taken.clear()
    monkeypatch.setattr(conversation_module, "Turn", FakeTurn)
    agent = SimpleNamespace(ringing=lambda: False, hush=lambda: False)
    bus = SimpleNamespace(publish=lambda event: None)
    context = SimpleNamespace(ear=SimpleNamespace(), settings=ConversationSettings(), agent=agent, bus=bus)
    made = Conversation(context)  # type: ignore[arg-type]
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def texts() -> list[str | None]:
    return [turn.trigger.text for turn in FakeTurn.taken]


async def test_a_command_due_during_a_turn_is_done_after_it(talk: Conversation) -> None:
    talk.open(Trigger("button"))
    await settle()
    talk.command("turn off the fan")
    await settle()
    assert texts() == [None], "the turn under way is not disturbed"
    FakeTurn.taken[0].over.set()
    await settle()
    assert texts() == [None, "turn off the fan"]


async def test_three_at_once_are_each_done_once_and_in_order(talk: Conversation) -> None:
    for text in ("one", "two", "three"):
        talk.command(text)
    for _ in range(5):
        await settle()
        for turn in FakeTurn.taken:
            turn.over.set()
    await settle()
    assert texts() == ["one", "two", "three"]


async def test_who_speaks_does_not_make_a_command_lost(talk: Conversation) -> None:
    talk.command("turn off the fan")
    talk.open(Trigger("wake"))  # in the same moment, while the command is being carried out
    for _ in range(3):
        await settle()
        for turn in FakeTurn.taken:
            turn.over.set()
    await settle()
    assert texts() == ["turn off the fan", None] and FakeTurn.taken[0].finished


# -- whom the guard against own words guards against -------------------------------------------------------------------


class FakeAgent:
    """Takes every text for the device's own words, and understands what `known` holds."""

    def __init__(self, known: dict[str, Interpretation]) -> None:
        self.known, self.planned, self.apologies = known, [], []  # type: ignore[var-annotated]

    def own_words(self, text: str) -> bool:
        return True

    async def interpret(self, transcript: Any, trigger: Trigger) -> Interpretation | None:
        return self.known.get(transcript.text)

    def plan(self, interpretation: Interpretation) -> Plan:
        self.planned.append(interpretation.intent)
        return Plan("")

    def apology(self, reason: str, command: str = "") -> str:
        self.apologies.append((reason, command))
        return ""


async def turned(agent: FakeAgent, trigger: Trigger) -> Turn:
    async def tone(*_: object) -> None: ...

    context = SimpleNamespace(
        agent=agent, voice=None, bus=Bus(), settings=ConversationSettings(), loudspeaker=SimpleNamespace(tone=tone)
    )
    turn = Turn("t1", trigger, context, lambda signal: None)  # type: ignore[arg-type]
    await turn.take()
    return turn


@pytest.mark.parametrize(("cause", "done"), [("wake", True), ("button", True), ("command", True), ("follow_up", False)])
async def test_only_a_turn_that_opened_itself_may_have_heard_the_device(cause: str, done: bool) -> None:
    agent = FakeAgent({"turn off the kitchen light": Interpretation("HassTurnOff")})
    await turned(agent, Trigger(cause, text="turn off the kitchen light"))
    assert agent.planned == (["HassTurnOff"] if done else [])


async def test_a_command_for_a_device_that_is_gone_is_told_with_its_words() -> None:
    agent = FakeAgent({})
    await turned(agent, Trigger("command", text="turn off the fan"))
    await turned(agent, Trigger("wake", text="turn off the fan"))
    assert agent.apologies == [("command_failed", "turn off the fan"), ("not_understood", "")]


# -- what is put off is checked when it is asked for --------------------------------------------------------------------


async def test_what_nobody_would_understand_is_not_promised(room: Room) -> None:
    with pytest.raises(AssertionError, match="frobnicate"):
        room.plan("frobnicate the wombat in five minutes")
    assert await room.say("turn on the reading lamp in five minutes") == "I will do that in 5 minutes."
    assert [timer.command for timer in room.timers.all()] == ["turn on the reading lamp"]


async def test_without_a_home_server_nothing_is_promised_in_its_name(tmp_path: Path) -> None:
    room = Room(tmp_path)
    assert room.plan("turn on the reading lamp in five minutes").outcome is Outcome.NO_HOME_SERVER
    assert await room.say("set the volume to twenty percent in five minutes") == "I will do that in 5 minutes."


def restored(folder: Path, late_s: float) -> tuple[list[Timer], list[Timer]]:
    """Done and told of three commands that a boot with a late clock finds `late_s` overdue."""
    wall = {"s": 1000.0}
    clock = Clock(lambda: wall["s"], lambda: 0.0)
    before = Timers(folder / "t.json", lambda _: None, lambda _: None, clock)
    for name in ("one", "two", "three"):
        before.start(600, command=name)
    before.save()
    done: list[Timer] = []
    told: list[Timer] = []
    after = Timers(folder / "t.json", done.append, lambda _: None, clock, on_missed=lambda timer, _: told.append(timer))
    after.load()
    after.tick()
    assert not done and not told
    wall["s"] += 600 + late_s
    after.tick()
    after.tick()
    return done, told


@pytest.mark.parametrize(("late_s", "is_done"), [(0.0, True), (COMMAND_LATE_S - 1, True), (8 * 3600.0, False)])
def test_with_a_late_clock_each_of_three_is_done_once_or_told(tmp_path: Path, late_s: float, is_done: bool) -> None:
    done, told = restored(tmp_path, late_s)
    assert sorted(str(timer.command) for timer in (done if is_done else told)) == ["one", "three", "two"]
    assert not (told if is_done else done)


# -- timers of one name or one length -----------------------------------------------------------------------------------


async def two(room: Room, first: str, second: str) -> None:
    await room.say(first)
    room.wait(60)
    await room.say(second)


@pytest.mark.parametrize(
    ("answer", "left_s"),
    [
        ("the first one", [600.0]),
        ("the second", [540.0]),
        ("the last one", [540.0]),
        ("both", []),
        ("both of them", []),
    ],
)
async def test_two_timers_of_one_length_are_told_apart(room: Room, answer: str, left_s: list[float]) -> None:
    await two(room, "set a timer for ten minutes", "set a timer for ten minutes")
    asked = await room.say("cancel the timer")
    assert asked == "Which timer? The first, with 9 minutes left or the second, with 10 minutes left?"
    assert room.last is not None and room.last.ask and len(room.timers.all()) == 2
    await room.say(answer)
    assert [room.timers.remaining_s(timer) for timer in room.timers.all()] == left_s


async def test_two_people_gave_their_timers_one_name(room: Room) -> None:
    await two(room, "set a ten minute pizza timer", "set a twenty minute pizza timer")
    await room.say("set a timer for five minutes")
    assert "the first, with 9 minutes left" in (await room.say("cancel the pizza timer")).casefold()
    assert await room.say("both") == "Pizza timer cancelled."
    assert [timer.name for timer in room.timers.all()] == [None], "the third was never meant"


async def test_both_are_paused(room: Room) -> None:
    await two(room, "set a timer for ten minutes", "set a timer for ten minutes")
    await room.say("pause the timer")
    assert await room.say("both") == "Timer paused."
    assert all(timer.paused for timer in room.timers.all())


async def test_the_length_that_is_missing_is_asked_for(room: Room) -> None:
    assert await room.say("set a timer") == "For how long?"
    assert await room.say("ten minutes") == "Timer set for 10 minutes."
    assert [timer.total_s for timer in room.timers.all()] == [600]


# -- alarms over a restart -----------------------------------------------------------------------------------------------


def again(folder: Path, now_s: Callable[[], float], due: list[Entry], told: list[tuple[Entry, str]]) -> Agenda:
    clock = Clock(now_s, now_s)
    agenda = Agenda(folder / "agenda.json", due.append, lambda *one: told.append(one), clock)
    agenda.load()
    return agenda


def test_an_alarm_rings_again_where_the_power_went_while_it_rang(room: Room, tmp_path: Path) -> None:
    room.agenda.after(ALARM, 60)
    room.now_s += 60
    room.agenda.tick()
    assert room.agenda.ringing()
    room.agenda.save()
    due: list[Entry] = []
    room.now_s += 30
    agenda = again(tmp_path, lambda: room.now_s, due, [])
    agenda.tick()
    assert [entry.kind for entry in due] == [ALARM] and agenda.ringing()
    agenda.tick()
    assert len(due) == 1, "once"


def test_a_snoozed_daily_alarm_survives_and_stays_daily(room: Room, tmp_path: Path) -> None:
    room.agenda.at(ALARM, ClockTime(datetime(2026, 1, 1, 15, 30).time(), None, tuple(range(7))))
    room.now_s += 600
    room.agenda.tick()
    assert room.agenda.snooze(540)
    room.agenda.save()
    due: list[Entry] = []
    agenda = again(tmp_path, lambda: room.now_s, due, [])
    room.now_s += 541
    agenda.tick()
    assert len(agenda.ringing()) == 1
    agenda.silence()
    assert [entry.moment() for entry in agenda.all(ALARM)] == [datetime(2026, 11, 22, 15, 30)]


def test_a_weekday_alarm_leaves_the_weekend_out(room: Room) -> None:
    entry = room.agenda.at(ALARM, ClockTime(datetime(2026, 1, 1, 6, 30).time(), None, (0, 1, 2, 3, 4)))
    assert entry.moment() == datetime(2026, 11, 23, 6, 30), "today is Saturday"


def test_the_night_that_has_an_hour_twice_rings_once(room: Room) -> None:
    room.now_s = datetime(2026, 10, 25, 1, 0).timestamp()
    room.agenda.at(ALARM, ClockTime(datetime(2026, 1, 1, 2, 30).time(), None, tuple(range(7))))
    rang = 0
    for _ in range(60):
        room.now_s += 300
        room.agenda.tick()
        rang += room.agenda.silence()
    assert rang == 1 and room.agenda.all(ALARM)[0].moment() == datetime(2026, 10, 26, 2, 30)


def test_a_clock_that_is_late_at_boot_loses_no_reminder(room: Room, tmp_path: Path) -> None:
    room.agenda.at(REMINDER, ClockTime(datetime(2026, 1, 1, 16, 0).time()), "bread")
    room.agenda.save()
    wall = {"s": 1000.0}
    due: list[Entry] = []
    told: list[tuple[Entry, str]] = []
    agenda = again(tmp_path, lambda: wall["s"], due, told)
    agenda.tick()
    assert not due and not told, "in 1970 nothing is due"
    wall["s"] = datetime(2026, 11, 21, 16, 1).timestamp()
    agenda.tick()
    assert [entry.text for entry in due] == ["bread"] and not told


async def test_cancelling_both_of_two_alarms(room: Room) -> None:
    for at in ("six", "seven"):
        await room.say(f"wake me tomorrow at {at}")
    await room.say("cancel my alarm")
    assert await room.say("both") == "2 alarms cancelled."
    assert not room.agenda.all(ALARM)


async def test_a_sound_entry_stays_where_another_is_damaged(room: Room, tmp_path: Path) -> None:
    room.agenda.after(REMINDER, 600, "bread")
    room.agenda.save()
    file = tmp_path / "agenda.json"
    file.write_text(file.read_text().replace('[{"id"', '[{"id": 5}, {"id"'))
    agenda = again(tmp_path, lambda: room.now_s, [], [])
    assert [entry.text for entry in agenda.all(REMINDER)] == ["bread"]
    assert (tmp_path / "agenda.json.damaged").exists()
