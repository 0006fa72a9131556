"""Everyday skills: sentence → reply and deed, through the real interpreter, on a fake clock."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.actions import arithmetic, chance, dates, units
from appliance.actions.agenda import ALARM, LATE_S, MOST, REMINDER, Agenda, Entry
from appliance.actions.lists import MOST_ITEMS, SHOPPING, Lists
from appliance.actions.moment import ClockTime, clock_time
from appliance.actions.registry import SKILLS
from appliance.actions.timers import COMMAND_LATE_S, Clock, Timer, Timers
from appliance.intents.source import LOCAL_INTENTS
from tests.unit.test_actions import Room

NOW = datetime(2026, 11, 21, 15, 20)
"""A Saturday."""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    made = Room(tmp_path)
    made.device.clock = NOW
    made.now_s = NOW.timestamp()
    return made


def pass_time(room: Room, seconds: float) -> None:
    room.now_s += seconds
    room.agenda.tick()


# -- the alarm clock --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("wake me at seven", "Your alarm will ring today at 7 PM."),
        ("wake me up tomorrow at seven", "Your alarm will ring tomorrow at 7 AM."),
        ("set an alarm for half past six tomorrow", "Your alarm will ring tomorrow at 6:30 AM."),
        ("set an alarm for 3 am", "Your alarm will ring tomorrow at 3 AM."),
        ("wake me at a quarter to eight tomorrow evening", "Your alarm will ring tomorrow at 7:45 PM."),
        ("set an alarm for 19:05", "Your alarm will ring today at 7:05 PM."),
        ("set an alarm for seven thirty every weekday", "Your alarm will ring every weekday at 7:30 AM."),
        ("wake me at noon on monday", "Your alarm will ring on Monday at 12 PM."),
        ("wake me up in twenty minutes", "Alarm in 20 minutes."),
    ],
)
async def test_an_alarm_is_set(room: Room, said: str, reply: str) -> None:
    assert await room.say(said) == reply
    assert len(room.agenda.all(ALARM)) == 1


async def test_an_alarm_rings_is_snoozed_and_stopped(room: Room) -> None:
    await room.say("wake me up in twenty minutes")
    pass_time(room, 19 * 60)
    assert not room.agenda.ringing()
    pass_time(room, 61)
    assert room.agenda.ringing()
    assert await room.say("snooze for five minutes") == "Snoozing for 5 minutes."
    assert not room.agenda.ringing()
    pass_time(room, 301)
    assert room.agenda.ringing()
    await room.say("stop")
    assert not room.agenda.ringing() and not room.agenda.all(ALARM)


async def test_a_daily_alarm_stays_for_its_next_day(room: Room) -> None:
    await room.say("wake me up every day at seven")
    pass_time(room, 15 * 3600 + 41 * 60)
    assert room.agenda.ringing()
    await room.say("stop")
    (alarm,) = room.agenda.all(ALARM)
    assert alarm.moment() == datetime(2026, 11, 23, 7, 0) and not alarm.ringing


async def test_an_alarm_that_nobody_stops_ends_and_is_told(room: Room) -> None:
    await room.say("wake me up in one minute")
    pass_time(room, 61)
    pass_time(room, room.agenda.ring_s + 1)
    assert not room.agenda.ringing() and [why for _, why in room.missed] == ["unanswered"]


async def test_which_of_three_alarms(room: Room) -> None:
    for at in ("six", "seven", "eight"):
        await room.say(f"wake me tomorrow at {at}")
    asked = await room.say("cancel my alarm")
    assert asked == "Which one: tomorrow at 6 AM, tomorrow at 7 AM or tomorrow at 8 AM?"
    assert await room.say("the second one") == "Alarm cancelled: tomorrow at 7 AM."
    assert await room.say("cancel the seven alarm") == "I don't know that alarm."
    assert await room.say("cancel all alarms") == "2 alarms cancelled."
    assert await room.say("what alarms do I have") == "There is no alarm."


async def test_a_time_that_has_passed_is_refused(room: Room) -> None:
    assert await room.say("set an alarm for 8 am today") == "That time has passed already."
    assert not room.agenda.all(ALARM)


async def test_no_more_than_fifty(room: Room) -> None:
    for number in range(MOST):
        room.agenda.after(ALARM, 60 + number)
    assert await room.say("wake me at seven") == "There are too many alarms and reminders already."


async def test_the_time_that_is_missing_is_asked_for(room: Room) -> None:
    assert await room.say("remind me to call mom") == "At what time?"
    assert await room.say("at five") == "I will remind you today at 5 PM: call mom."


# -- reminders --------------------------------------------------------------------------------------------------------


async def test_a_reminder_speaks_its_text(room: Room) -> None:
    assert await room.say("remind me to call my mother in ten minutes") == (
        "I will remind you in 10 minutes: call your mother."
    )
    pass_time(room, 601)
    assert [entry.text for entry in room.due] == ["call your mother"] and not room.agenda.all(REMINDER)


async def test_two_due_at_once_are_both_done(room: Room) -> None:
    await room.say("remind me to eat in ten minutes")
    await room.say("remind me to drink in ten minutes")
    pass_time(room, 600)
    assert [entry.text for entry in room.due] == ["eat", "drink"]


def test_half_past_two_in_the_night_of_the_change(room: Room) -> None:
    """The clock goes from 2 to 3: the reminder comes at that moment, and says so."""
    room.now_s = datetime(2027, 3, 28, 1, 0).timestamp()
    entry = room.agenda.at(REMINDER, ClockTime(datetime(2027, 3, 28, 2, 30).time(), date(2027, 3, 28)), "sleep")
    assert entry.moment() == datetime(2027, 3, 28, 3, 30)
    pass_time(room, 90 * 60)
    assert [due.text for due in room.due] == ["sleep"]


def test_another_time_zone_moves_the_alarm(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.agenda.at(ALARM, ClockTime(datetime(2026, 11, 22, 7, 0).time(), date(2026, 11, 22)))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    pass_time(room, 7 * 3600 + 41 * 60)  # 22:20 UTC + …: 7:01 in Tokyo
    assert room.agenda.ringing()


def test_a_restart_keeps_what_was_promised_and_tells_what_is_too_late(room: Room, tmp_path: Path) -> None:
    room.agenda.after(REMINDER, 600, "bread")
    room.agenda.after(ALARM, 3600)
    room.agenda.save()
    told: list[tuple[Entry, str]] = []
    due: list[Entry] = []
    now_s = room.now_s + 3600 + 60
    clock = Clock(lambda: now_s, lambda: 5.0)
    later = Agenda(tmp_path / "agenda.json", due.append, lambda *one: told.append(one), clock)
    later.load()
    later.tick()
    assert [(entry.text, why) for entry, why in told] == [("bread", "missed")]
    assert [entry.kind for entry in due] == [ALARM], "a minute late, it still rings"
    assert now_s - room.now_s - 600 > LATE_S


@pytest.mark.parametrize(
    "text", ["", "[]", '{"entries": 5}', '{"entries": [{"id": "a1", "kind": "alarm", "hour": 99}]}']
)
def test_a_damaged_agenda_is_put_aside(tmp_path: Path, text: str) -> None:
    file = tmp_path / "agenda.json"
    file.write_text(text)
    agenda = Agenda(file, lambda _: None, lambda *_: None)
    agenda.load()
    assert not agenda.all(ALARM) and file.with_name("agenda.json.damaged").exists()


def test_the_file_is_what_the_next_run_reads(tmp_path: Path) -> None:
    agenda = Agenda(tmp_path / "agenda.json", lambda _: None, lambda *_: None)
    agenda.at(ALARM, ClockTime(datetime(2026, 1, 1, 7, 0).time(), None, (0, 1, 2, 3, 4)))
    agenda.save()
    again = Agenda(tmp_path / "agenda.json", lambda _: None, lambda *_: None)
    again.load()
    assert again.all(ALARM) == agenda.all(ALARM)
    assert json.loads((tmp_path / "agenda.json").read_text())["entries"][0]["days"] == [0, 1, 2, 3, 4]


# -- times of day -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slots", "moment"),
    [
        ({"hour": 3}, datetime(2026, 11, 22, 3, 0)),
        ({"hour": 4}, datetime(2026, 11, 21, 16, 0)),
        ({"hour": 12}, datetime(2026, 11, 22, 0, 0)),
        ({"hour": 7, "day": "tomorrow"}, datetime(2026, 11, 22, 7, 0)),
        ({"hour": 3, "day": "tomorrow"}, datetime(2026, 11, 22, 15, 0)),
        ({"hour": 1, "to": 15, "half": "am"}, datetime(2026, 11, 22, 0, 45)),
        ({"hour": 9, "day": "saturday"}, datetime(2026, 11, 28, 9, 0)),
        ({"clock": "0:00"}, datetime(2026, 11, 22, 0, 0)),
        ({"hour": 7, "days": "mondays"}, datetime(2026, 11, 23, 7, 0)),
    ],
)
def test_what_a_time_of_day_means(slots: dict[str, str | int], moment: datetime) -> None:
    when = clock_time(dict(slots), NOW)
    assert when is not None and when.next_after(NOW) == moment


# -- what was put off ------------------------------------------------------------------------------------------------


def restored(folder: Path, late_s: float) -> tuple[list[Timer], list[tuple[Timer, str]]]:
    """Rung and missed of a timer with a command that a boot with a late clock finds `late_s` overdue."""
    wall = {"s": 1000.0}
    clock = Clock(lambda: wall["s"], lambda: 0.0)
    before = Timers(folder / "t.json", lambda _: None, lambda _: None, clock)
    before.start(600, command="turn on the heater")
    before.save()
    rung: list[Timer] = []
    missed: list[tuple[Timer, str]] = []
    after = Timers(folder / "t.json", rung.append, lambda _: None, clock, on_missed=lambda *one: missed.append(one))
    after.load()
    after.tick()
    assert not rung and not missed
    wall["s"] += 600 + late_s
    after.tick()
    return rung, missed


def test_a_command_is_done_soon_or_told(tmp_path: Path) -> None:
    assert [timer.command for timer in restored(tmp_path, COMMAND_LATE_S - 1)[0]] == ["turn on the heater"]
    rung, missed = restored(tmp_path, 8 * 3600.0)
    assert not rung and [(timer.command, why) for timer, why in missed] == [("turn on the heater", "missed")]


# -- stopwatch, chance, lists -----------------------------------------------------------------------------------------


async def test_stopwatch(room: Room) -> None:
    assert await room.say("how long has the stopwatch been running") == "The stopwatch is not running."
    await room.say("start a stopwatch")
    room.now_s += 8130
    assert await room.say("what's the stopwatch at") == "The stopwatch is at 2 hours, 15 minutes and 30 seconds."
    await room.say("stop the stopwatch")
    room.now_s += 60
    assert await room.say("check the stopwatch") == "The stopwatch stands at 2 hours, 15 minutes and 30 seconds."


async def test_chance_stays_in_its_bounds(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chance.secrets, "randbelow", lambda bound: bound - 1)
    assert await room.say("roll a die") == "6."
    assert await room.say("roll two dice") == "6 and 6. Together 12."
    assert await room.say("pick a number between ten and twenty") == "20."
    monkeypatch.setattr(chance.secrets, "randbelow", lambda bound: 0)
    assert await room.say("pick a number between twenty and ten") == "10."
    assert await room.say("flip a coin") in ("Heads.", "Tails.")


async def test_a_list_is_kept(room: Room, tmp_path: Path) -> None:
    assert await room.say("add milk to my shopping list") == "I put milk on your shopping list."
    assert await room.say("add Milk to my shopping list") == "Milk is on your shopping list already."
    assert await room.say("what's on my shopping list") == "There is one thing on your shopping list: milk."
    again = Lists(tmp_path / "lists.json")
    again.load()
    assert again.items(SHOPPING) == ("milk",)
    assert await room.say("remove milk from my shopping list") == "I took milk off your shopping list."
    assert await room.say("what's on my shopping list") == "Your shopping list is empty."


async def test_a_list_is_bounded(room: Room) -> None:
    assert await room.say(f"add {'x' * 200} to my shopping list") == "That is too long for me to keep."
    for number in range(MOST_ITEMS):
        room.context.lists.add(SHOPPING, f"thing {number}")
    assert await room.say("add milk to my shopping list") == "Your shopping list is full."


# -- numbers, units, days ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("what is twelve times fourteen", "That is 168."),
        ("what's 15 percent of 80", "That is 12."),
        ("what is two plus three times four", "That is 14."),
        ("what is ten divided by three", "That is about 3.3333."),
        ("what is 5 divided by 0", "Nothing can be divided by zero."),
        ("what is ten to the power of 1000", "That number is too large for me."),
        ("what is 0 divided by 0", "Nothing can be divided by zero."),
        ("what is the square root of 144", "That is 12."),
        ("what is 1000 times 1000", "That is 1,000,000."),
        ("how many feet are in a meter", "1 metre is about 3.2808 feet."),
        ("how many kilometres are in a kilogram", "Kilograms cannot be turned into kilometres."),
        ("convert 70 degrees fahrenheit to celsius", "70 degrees Fahrenheit is about 21.1 degrees Celsius."),
        ("how many days until christmas", "34 days, until Friday, December 25th."),
        ("what day is the third of may", "That is Monday, May 3rd, 2027."),
        ("what day is it tomorrow", "That is Sunday, November 22nd."),
        ("what day is the thirtieth of february", "There is no such day."),
        ("when is easter", "That is Sunday, March 28th, 2027."),
        ("what's tomorrow's date", "That is Sunday, November 22nd."),
        ("set a timer for 2 hours", "Timer set for 2 hours."),
        ("thank you", "You're welcome."),
        ("what's the volume", "Volume 50 percent."),
    ],
)
async def test_what_is_answered(room: Room, said: str, reply: str) -> None:
    assert await room.say(said) == reply


def test_every_unit_of_the_sentences_is_in_the_table(room: Room) -> None:
    codes = [value["out"] for value in _list("unit")]
    assert len(codes) > 40 and set(codes) == set(units.known())
    for code in codes:
        assert units.converted(Decimal(7), code, code) == 7 or code in {"C", "F", "K"}
        assert room.context.replies.unit(code)


def _list(name: str) -> list[dict[str, str]]:
    from appliance.intents.home import Home
    from appliance.intents.source import grammar_source

    values: list[dict[str, str]] = grammar_source(Home(), "en").sentences["lists"][name]["values"]
    return values


@pytest.mark.parametrize(("year", "day"), [(2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2038, (4, 25))])
def test_easter(year: int, day: tuple[int, int]) -> None:
    assert dates.easter(year) == date(year, *day)


def test_the_29th_of_february_is_found() -> None:
    assert dates.named({"date": 29, "month": 2}, date(2026, 3, 1)) == date(2028, 2, 29)


def test_small_results_keep_their_figures() -> None:
    assert arithmetic.rounded(Decimal("0.0000123456")) == Decimal("0.0000123")


def test_every_local_intent_has_a_skill() -> None:
    assert set(LOCAL_INTENTS) == set(SKILLS)


def test_nothing_waits_for_real_time(room: Room) -> None:
    """`run` wakes by itself for what is due."""

    async def check() -> None:
        room.agenda.after(ALARM, 0.05)
        task = asyncio.create_task(room.agenda.run())
        await asyncio.sleep(0)
        room.now_s += 1
        await asyncio.sleep(0.15)
        task.cancel()
        assert room.agenda.ringing()

    asyncio.run(check())
