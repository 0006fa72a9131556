"""Everyday sentences as text: what people say is understood, and the page of what can be said tells the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.actions.registry import plan
from appliance.intents.examples import page, shown, topics
from appliance.intents.interpretation import Interpretation
from appliance.intents.replies import strip_marks
from tests.unit.test_actions import SEARCH_S, Room, interpreter

ROOT = Path(__file__).parents[2]

SAID = {
    "set a pizza timer for twelve minutes": "HassStartTimer",
    "set timer ten minutes": "HassStartTimer",
    "set a timer for a quarter of an hour": "HassStartTimer",
    "set a timer for ninety seconds": "HassStartTimer",
    "set another timer for an hour and twenty minutes": "HassStartTimer",
    "put five minutes on the clock": "HassStartTimer",
    "add a minute to the timer": "HassIncreaseTimer",
    "set an alarm for eight o'clock": "ApplianceSetAlarm",
    "wake me up at quarter past six on weekdays": "ApplianceSetAlarm",
    "turn off the alarm": "ApplianceStop",
    "cancel my alarm for tomorrow": "ApplianceCancelAlarm",
    "what's tomorrow's date": "ApplianceDate",
    "how long until my timer goes off": "HassTimerStatus",
    "make it seven thirty instead": "ApplianceChangeAlarm",
    "i need a timer for eight minutes": "HassStartTimer",
    "turn it down a bit": "HassSetVolumeRelative",
    "what is a hundred divided by eight": "ApplianceCalculate",
    "what's seven plus nine minus three": "ApplianceCalculate",
    "how many grams in an ounce": "ApplianceConvert",
    "could you set a timer for five minutes please": "HassStartTimer",
}
"""Beside the examples of the page; the sentences of `appliance ask` that the acceptance check holds are among both."""
REFUSED = ("tell me a joke", "how do you say hello in french", "frobnicate the wombat")


def meaning(text: str) -> Interpretation | None:
    return interpreter("en").interpret(text, budget_s=SEARCH_S)


@pytest.mark.parametrize(("text", "intent"), SAID.items())
def test_what_people_say_is_understood(text: str, intent: str) -> None:
    meant = meaning(text)
    assert meant is not None and meant.intent == intent


@pytest.mark.parametrize("text", REFUSED)
def test_what_it_cannot_do_is_refused_not_guessed(text: str) -> None:
    assert meaning(text) is None


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: str(topic.title))
def test_the_examples_of_the_page_are_understood(topic: object) -> None:
    wrong = {}
    for intent, says in topic.intents.items():  # type: ignore[attr-defined]
        for text in says:
            meant = meaning(text)
            if meant is None or meant.intent != intent:
                wrong[text] = meant and meant.intent
    assert not wrong


def test_the_page_shows_everything_the_device_does() -> None:
    assert {intent for topic in topics() for intent in topic.intents} == shown()


def test_the_page_is_made_from_the_grammar() -> None:
    made = (ROOT / "docs" / "what-you-can-say.md").read_text(encoding="utf-8")
    assert made == page(), "python -m appliance.intents.examples > docs/what-you-can-say.md"


def test_an_owners_answer_is_said(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.context = replace(room.context, answers={"MovieTime": "Enjoy {film}."})
    said = plan(Interpretation("MovieTime", {"film": "Casablanca"}), room.context)
    assert strip_marks(said.reply) == "Enjoy Casablanca."
    assert plan(Interpretation("MovieTime"), room.context).reply == "Enjoy."
