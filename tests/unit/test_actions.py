"""Skills: sentence → reply and deed. The sentences go through the real interpreter; the device has hands."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pytest

from appliance.actions import status
from appliance.actions.agenda import Agenda, Entry
from appliance.actions.device import SkillContext
from appliance.actions.lists import Lists
from appliance.actions.plan import Plan
from appliance.actions.registry import SKILLS, plan
from appliance.actions.stopwatch import Stopwatch
from appliance.actions.timers import Clock, Timers
from appliance.errors import ActionError
from appliance.events import Outcome
from appliance.intents.home import Area, Entity, Home
from appliance.intents.interpretation import Interpretation, Question
from appliance.intents.recognise import Interpreter
from appliance.intents.replies import MARK, Replies, strip_marks
from appliance.intents.source import LOCAL_INTENTS, grammar_source

HOUSE = Home("Kitchen", (Area("Kitchen"), Area("Office")), (Entity("Reading Lamp", "light"),))

SEARCH_S = 60.0
"""CPU time of a search; on a starved machine the bound of a real turn would judge the machine."""


@lru_cache(maxsize=2)
def interpreter(language: str) -> Interpreter:
    return Interpreter(grammar_source(HOUSE, language), HOUSE)


class FakeDevice:
    """A device that does what it is told and remembers it."""

    def __init__(self) -> None:
        self.clock = datetime(2026, 11, 21, 15, 20)
        self.percent = 50
        self.muted = False
        self.said: str | None = None
        self.took_ms: float | None = 312.0

    def now(self) -> datetime:
        return self.clock

    def volume(self) -> int:
        return self.percent

    async def set_volume(self, percent: int) -> None:
        self.percent = percent

    async def mute(self) -> None:
        self.muted = True

    def last_reply(self) -> str | None:
        return self.said

    def response_ms(self) -> float | None:
        return self.took_ms


class FakeHome:
    """A home server that answers with what it was asked, or fails."""

    def __init__(self, failure: ActionError | None = None) -> None:
        self.asked: list[Interpretation] = []
        self.failure = failure

    async def handle(self, interpretation: Interpretation) -> str:
        self.asked.append(interpretation)
        if self.failure is not None:
            raise self.failure
        return "Turned on."


class Room:
    """A person, a device and time."""

    def __init__(self, folder: Path, language: str = "en", home: FakeHome | None = None) -> None:
        self.now_s = 1000.0
        self.device = FakeDevice()
        clock = Clock(lambda: self.now_s, lambda: self.now_s)
        self.timers = Timers(folder / "timers.json", lambda _: None, lambda _: None, clock)
        self.due: list[Entry] = []
        self.missed: list[tuple[Entry, str]] = []
        self.agenda = Agenda(folder / "agenda.json", self.due.append, lambda *told: self.missed.append(told), clock)
        lists = Lists(folder / "lists.json")
        watch = Stopwatch(lambda: self.now_s)
        self.context = SkillContext(self.device, self.timers, self.agenda, lists, watch, Replies(language), home)
        self.language = language
        self.last: Plan | None = None

    def plan(self, text: str) -> Plan:
        context = self.last.question if self.last is not None else None
        meaning = interpreter(self.language).interpret(text, context, budget_s=SEARCH_S)
        assert meaning is not None, text
        return plan(meaning, self.context)

    async def say(self, text: str) -> str:
        """Says it, has it done, gives the reply as it is shown."""
        planned = self.plan(text)
        done = await planned.act() if planned.act is not None else None
        self.last = done or planned
        return strip_marks(self.last.reply)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.timers.tick()


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


# -- clock ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "moment", "time", "date"),
    [
        ("en", datetime(2026, 11, 21, 15, 20), "3:20 PM", "Saturday, November 21st"),
        ("en", datetime(2026, 1, 2, 0, 5), "12:05 AM", "Friday, January 2nd"),
        ("en", datetime(2026, 2, 11, 12, 0), "12 PM", "Wednesday, February 11th"),
        ("de", datetime(2026, 11, 21, 15, 20), "15 Uhr 20", "Samstag, der 21. November"),
        ("de", datetime(2026, 3, 1, 7, 0), "7 Uhr", "Sonntag, der 1. März"),
    ],
)
def test_time_and_date(language: str, moment: datetime, time: str, date: str) -> None:
    replies = Replies(language)
    assert (replies.time(moment), replies.date(moment)) == (time, date)


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (1, "1 second", "eine Sekunde"),
        (90, "1 minute and 30 seconds", "eine Minute und 30 Sekunden"),
        (3600, "1 hour", "eine Stunde"),
        (3605, "1 hour", "eine Stunde"),
        (5430, "1 hour and 30 minutes", "eine Stunde und 30 Minuten"),
        (7200, "2 hours", "2 Stunden"),
        (0, "0 seconds", "0 Sekunden"),
    ],
)
def test_durations(seconds: float, english: str, german: str) -> None:
    assert (Replies("en").duration(seconds), Replies("de").duration(seconds)) == (english, german)


async def test_asked_for_time_and_date(room: Room) -> None:
    assert await room.say("what time is it") == "It's 3:20 PM."
    assert await room.say("what's the date") == "Today is Saturday, November 21st."


# -- timers -----------------------------------------------------------------------------------------------------------


async def test_a_timer_from_start_to_end(room: Room) -> None:
    assert await room.say("how much time is left on my timer") == "There is no timer."
    assert await room.say("set a timer for five minutes") == "Timer set for 5 minutes."
    room.wait(60)
    assert await room.say("how much time is left on my timer") == "There are 4 minutes left."
    assert await room.say("add two minutes to the timer") == "The timer now has 6 minutes left."
    assert await room.say("pause the timer") == "Timer paused."
    room.wait(1000)
    assert await room.say("resume the timer") == "Timer resumed, with 6 minutes left."
    assert await room.say("take three minutes off my timer") == "The timer now has 3 minutes left."
    assert await room.say("take ten minutes off my timer") == "The timer has no time left to take away."
    room.wait(180)
    assert room.timers.ringing()
    assert await room.say("stop") == "" and not room.timers.all()
    assert await room.say("cancel the timer") == "There is no timer."


async def test_several_timers(room: Room) -> None:
    await room.say("set a timer for ten minutes called pizza")
    assert await room.say("set a timer for five minutes") == "Timer set for 5 minutes."
    assert await room.say("how long on my timer") == (
        "You have 2 timers. The 5 minute timer, 5 minutes; the pizza timer, 10 minutes."
    )
    assert await room.say("how much time is left on the pizza timer") == "The pizza timer has 10 minutes left."
    assert await room.say("cancel the egg timer") == "I don't know that timer."
    assert await room.say("cancel the five minute timer") == "Timer cancelled."
    assert await room.say("cancel the timer") == "Pizza timer cancelled."


@pytest.mark.parametrize(
    ("answer", "left"),
    [("the pizza timer", None), ("pizza", None), ("the 5 minute timer", "pizza"), ("the first one", "pizza")],
)
async def test_which_timer(room: Room, answer: str, left: str | None) -> None:
    await room.say("set a timer for ten minutes called pizza")
    await room.say("set a timer for five minutes")
    assert await room.say("cancel the timer") == "Which timer? The 5 minute timer or the pizza timer?"
    assert room.last is not None and room.last.ask and len(room.timers.all()) == 2
    await room.say(answer)
    assert [timer.name for timer in room.timers.all()] == [left]


async def test_the_ringing_one_is_meant(room: Room) -> None:
    await room.say("set a timer for ten minutes")
    await room.say("set a timer for five minutes")
    room.wait(300)
    assert await room.say("cancel the timer") == "Timer cancelled."
    assert not room.timers.ringing() and len(room.timers.all()) == 1


async def test_cancel_all(room: Room) -> None:
    assert await room.say("cancel all timers") == "There is no timer."
    await room.say("set a timer for ten minutes")
    await room.say("start a timer for one hour")
    assert await room.say("cancel all timers") == "All timers cancelled." and not room.timers.all()


async def test_too_long_and_too_many(room: Room) -> None:
    assert "a day" in await room.say("set a timer for 30 hours")
    for _ in range(30):
        await room.say("set a timer for ten minutes")
    assert "too many" in await room.say("set a timer for ten minutes")


async def test_a_timer_gone_between_plan_and_act(room: Room) -> None:
    await room.say("set a timer for ten minutes")
    planned = room.plan("pause the timer")
    room.timers.cancel(room.timers.all()[0].id)
    assert planned.act is not None
    replacement = await planned.act()
    assert replacement is not None and replacement.reply == "I don't know that timer."


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("turn off the lights in five minutes", "I will do that in 5 minutes."),
        ("turn off the lights in a minute", "I will do that in 1 minute."),
        ("in half an hour turn off the lights", "I will do that in 30 minutes."),
        ("turn off the lights in an hour", "I will do that in 1 hour."),
        ("turn off the lights after an hour and a half", "I will do that in 1 hour and 30 minutes."),
    ],
)
async def test_a_delayed_command(tmp_path: Path, text: str, reply: str) -> None:
    room = Room(tmp_path, home=FakeHome())
    assert await room.say(text) == reply
    assert room.timers.all()[0].command == "turn off the lights"


# -- volume -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "text", "after", "reply"),
    [
        (50, "set the volume to forty percent", 40, "Volume 40 percent."),
        (50, "turn the volume up", 60, "Volume 60 percent."),
        (50, "turn down the volume", 40, "Volume 40 percent."),
        (50, "volume down by thirty", 20, "Volume 20 percent."),
        (50, "full volume", 100, "Volume 100 percent."),
        (95, "louder", 100, "Volume 100 percent."),
        (100, "louder", 100, "The volume is at its maximum."),
        (15, "quieter", 10, "Volume 10 percent."),
        (10, "quieter", 10, "The volume is at its minimum."),
        (5, "quieter", 5, "The volume is at its minimum."),
        (5, "louder", 15, "Volume 15 percent."),
        (50, "set the volume to zero percent", 0, "Volume 0 percent."),
    ],
)
async def test_volume(room: Room, before: int, text: str, after: int, reply: str) -> None:
    room.device.percent = before
    assert await room.say(text) == reply
    assert room.device.percent == after


async def test_the_volume_of_another_room_is_the_homes(room: Room) -> None:
    assert room.plan("set the office volume to 20 percent").outcome is Outcome.NO_HOME_SERVER
    assert room.plan("turn the volume up in the office").outcome is Outcome.NO_HOME_SERVER


# -- talk, status, home -----------------------------------------------------------------------------------------------


async def test_repeat(room: Room) -> None:
    assert await room.say("repeat that") == "I haven't said anything yet."
    room.device.said = "It's noon."
    assert await room.say("say that again") == "It's noon."


async def test_mute_and_never_mind(room: Room) -> None:
    assert "button" in await room.say("mute the microphone") and room.device.muted
    assert await room.say("never mind") == "Okay."
    assert room.last is not None and room.last.ends


async def test_status_says_what_is_known(room: Room, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    zone = tmp_path / "thermal_zone0"
    zone.mkdir()
    (zone / "temp").write_text("52345\n")
    (tmp_path / "thermal_zone1").mkdir()
    (tmp_path / "thermal_zone1" / "temp").write_text("rubbish")
    assert status.temperature_c(tmp_path) == pytest.approx(52.345)
    assert status.temperature_c(tmp_path / "none") is None
    monkeypatch.setattr(status.temperature_c, "__defaults__", (tmp_path,))
    reply = await room.say("how are you doing")
    assert reply.startswith("I'm fine. My temperature is 52 degrees, ") and "310 milliseconds" in reply
    (zone / "temp").write_text("85000")
    room.device.took_ms = None
    reply = await room.say("how are you doing")
    assert reply.startswith("I'm running hot.") and "milliseconds" not in reply


async def test_without_a_home_server(room: Room) -> None:
    planned = room.plan("turn on the reading lamp")
    assert planned == Plan("No home server is connected.", Outcome.NO_HOME_SERVER)


async def test_with_a_home_server(tmp_path: Path) -> None:
    home = FakeHome()
    room = Room(tmp_path, home=home)
    planned = room.plan("turn on the reading lamp")
    assert planned.outcome is Outcome.HANDED_OVER and home.asked == []
    assert await room.say("turn on the reading lamp") == "Turned on."
    assert home.asked[0].intent == "HassTurnOn" and home.asked[0].slots == {"name": "Reading Lamp"}
    assert "home" in await room.say("what can I say")


@pytest.mark.parametrize(
    ("code", "said"),
    [("no-answer", "The home server does not answer."), ("refused", "The front door is jammed.")],
)
async def test_what_the_home_server_could_not_do_is_said(tmp_path: Path, code: str, said: str) -> None:
    room = Room(tmp_path, home=FakeHome(ActionError(code, said)))
    planned = room.plan("turn on the reading lamp")
    assert planned.act is not None
    done = await planned.act()
    assert done is not None
    assert (done.reply, done.outcome) == (said, Outcome.FAILED)


async def test_a_question_comes_before_the_deed(room: Room) -> None:
    asked = Interpretation("HassTurnOn", {"name": "Bed Light"}, question=Question("name", ("Bed Light", "Desk Light")))
    planned = plan(asked, room.context)
    assert planned.reply == "Bed Light or Desk Light?" and planned.ask and planned.act is None
    assert planned.question == asked


@pytest.mark.parametrize(
    "text", ["set a timer for five minutes", "full volume", "mute the microphone", "cancel all timers", "stop"]
)
async def test_planning_does_nothing(room: Room, text: str) -> None:
    await room.say("start a timer for one hour")
    before = (room.timers.all(), room.device.percent, room.device.muted)
    room.plan(text)
    assert (room.timers.all(), room.device.percent, room.device.muted) == before


def test_every_local_intent_has_a_skill() -> None:
    assert set(LOCAL_INTENTS) == set(SKILLS)


# -- replies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de"])
def test_languages_have_the_same_replies_with_the_same_values(language: str) -> None:
    english, other = Replies("en")._data["sentences"], Replies(language)._data["sentences"]
    fields = {key: {part.split("}")[0] for part in text.split("{")[1:]} for key, text in english.items()}
    assert {key: {part.split("}")[0] for part in text.split("{")[1:]} for key, text in other.items()} == fields


def test_marks_divide_constant_from_variable() -> None:
    replies = Replies("en")
    assert replies.say("time", time="3 PM") == f"It's {MARK}3 PM."
    assert strip_marks(replies.say("time", time="3 PM")) == "It's 3 PM."
    assert "It's" in replies.constants() and "Okay." in replies.constants()
    assert not any("{" in text or MARK in text or not text for text in replies.constants())


def test_a_language_without_replies_speaks_english(caplog: pytest.LogCaptureFixture) -> None:
    assert Replies("fr").say("never_mind") == "Okay." and "fr" in caplog.text


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("wie spät ist es", "Es ist 15 Uhr 20."),
        ("welcher Tag ist heute", "Heute ist Samstag, der 21. November."),
        ("stelle einen Timer auf fünf Minuten", "Der Timer läuft, 5 Minuten."),
        ("lauter", "Lautstärke 60 Prozent."),
        ("vergiss es", "In Ordnung."),
        ("was kann ich sagen", "Frag nach Uhrzeit oder Datum, stell einen Timer oder ändere die Lautstärke."),
    ],
)
async def test_german(tmp_path: Path, text: str, reply: str) -> None:
    assert await Room(tmp_path, "de").say(text) == reply
