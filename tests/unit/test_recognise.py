"""Text → intent, with the real sentences of home-assistant-intents and our own."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.intents.followup import ambiguous
from appliance.intents.home import Area, Entity, Home, load_home
from appliance.intents.interpretation import Interpretation
from appliance.intents.recognise import Interpreter
from appliance.intents.source import following, grammar_source
from appliance.settings.conversation import IntentSettings
from tests.shared import AUDIO, needs_shared

COMMANDS = AUDIO / "commands"
HOUSE = Home(
    "Kitchen",
    (Area("Kitchen"), Area("Office"), Area("Attic", ("Loft",))),
    (
        Entity("Reading Lamp", "light", area="Office"),
        Entity("Ceiling 2", "light", aliases=("big lamp",)),
        Entity("Radio", "media_player"),
        Entity("Patio Door", "cover"),
    ),
)
KUECHE = Home("Küche", (Area("Küche"), Area("Büro")), (Entity("Stehlampe", "light"),))


@lru_cache(maxsize=8)
def interpreter(language: str = "en", house: str = "house") -> Interpreter:
    home = {"house": HOUSE, "empty": Home(), "kueche": KUECHE}[house]
    return Interpreter(grammar_source(home, language), home)


def understood(meaning: Interpretation | None) -> tuple[str, dict[str, Any]]:
    assert meaning is not None
    return meaning.intent, meaning.slots


def holds(meaning: Interpretation | None, label: dict[str, Any]) -> bool:
    """The published benchmark's rule: stripped lower-case strings, extra slots allowed."""
    if meaning is None or meaning.intent != label["intent"]:
        return False
    got = {key: str(value).strip().lower() for key, value in meaning.slots.items()}
    return all(got.get(key) == str(value).strip().lower() for key, value in label["slots"].items())


LOCAL = [
    ("what time is it", "HassGetCurrentTime", {}),
    ("WHATS THE TIME", "HassGetCurrentTime", {}),
    ("what day is it today", "HassGetCurrentDate", {}),
    ("set a timer for five minutes", "HassStartTimer", {"minutes": 5}),
    ("set a timer for 5 minutes", "HassStartTimer", {"minutes": 5}),
    ("set a timer for twenty five minutes", "HassStartTimer", {"minutes": 25}),
    ("start a timer for one hour and fifteen minutes", "HassStartTimer", {"hours": 1, "minutes": 15}),
    ("set a timer for half an hour", "HassStartTimer", {"minutes": 30}),
    ("set a timer for an hour and a half", "HassStartTimer", {"hours": 1, "minutes": 30}),
    ("set a timer for ten minutes called pizza", "HassStartTimer", {"minutes": 10, "name": "pizza"}),
    ("cancel the pizza timer", "HassCancelTimer", {"name": "pizza"}),
    ("cancel my ten minute timer", "HassCancelTimer", {"start_minutes": 10}),
    ("cancel all timers", "HassCancelAllTimers", {}),
    ("take two minutes off my timer", "HassDecreaseTimer", {"minutes": 2}),
    ("set the volume to one hundred percent", "HassSetVolume", {"volume_level": 100}),
    ("turn the volume up", "HassSetVolumeRelative", {"volume_step": "up"}),
    ("volume down by twenty", "HassSetVolumeRelative", {"volume_step": -20}),
    ("volume down by 20", "HassSetVolumeRelative", {"volume_step": -20}),
    ("stop", "ApplianceStop", {}),
    ("forget it", "HassNevermind", {}),
    ("say that again", "ApplianceRepeat", {}),
    ("how are you doing", "ApplianceStatus", {}),
    ("what can I say", "ApplianceHelp", {}),
    ("mute the microphone", "ApplianceMute", {}),
    ("who made you", "HassRespond", {"topic": "creator"}),
]


@pytest.mark.parametrize("house", ["house", "empty"])
@pytest.mark.parametrize(("text", "intent", "slots"), LOCAL)
def test_the_device_itself_needs_no_home(text: str, intent: str, slots: dict[str, Any], house: str) -> None:
    meaning = interpreter(house=house).interpret(text)
    assert understood(meaning) == (intent, slots)
    assert meaning is not None and meaning.own


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("turn on the reading lamp", "HassTurnOn", {"name": "Reading Lamp"}),
        ("turn on the big lamp", "HassTurnOn", {"name": "Ceiling 2"}),
        ("turn on ceiling two", "HassTurnOn", {"name": "Ceiling 2"}),
        ("set ceiling two brightness to fifty percent", "HassLightSet", {"name": "Ceiling 2", "brightness": 50}),
        ("turn off the lights in the loft", "HassTurnOff", {"area": "Attic", "domain": "light"}),
        ("turn on the lights", "HassTurnOn", {"area": "Kitchen", "domain": "light"}),
        ("is the patio door open", "HassGetState", {"name": "Patio Door", "state": "open"}),
        ("set the office volume to 20 percent", "HassSetVolume", {"area": "Office", "volume_level": 20}),
        ("add milk to my shopping list", "HassShoppingListAddItem", {"item": "milk"}),
    ],
)
def test_home_commands(text: str, intent: str, slots: dict[str, Any]) -> None:
    assert understood(interpreter().interpret(text)) == (intent, slots)


@pytest.mark.parametrize(
    "text", ["", "   ", "the weather is nice when the sun shines", "colonel lights in the office", "and the attic too"]
)
def test_no_command_is_none(text: str) -> None:
    assert interpreter().interpret(text) is None


def test_numbers_that_count_down_in_one_sentence_do_not_in_the_next() -> None:
    known = interpreter()
    known = interpreter()
    for _ in range(2):
        down = known.interpret("decrease the volume by twenty percent")
        assert understood(down) == ("HassSetVolumeRelative", {"volume_step": -20})
        assert understood(known.interpret("set ceiling two brightness to twenty percent")) == (
            "HassLightSet",
            {"name": "Ceiling 2", "brightness": 20},
        )
        up = known.interpret("increase the volume by twenty percent")
        assert understood(up) == ("HassSetVolumeRelative", {"volume_step": 20})


def test_without_a_room_lights_are_still_understood() -> None:
    assert understood(interpreter(house="empty").interpret("turn on the lights")) == ("HassTurnOn", {"domain": "light"})


GERMAN = [
    ("wie spät ist es", "HassGetCurrentTime", {}),
    ("welcher Tag ist heute", "HassGetCurrentDate", {}),
    ("stelle einen Timer auf fünf Minuten", "HassStartTimer", {"minutes": 5}),
    ("stell einen Timer auf eine halbe Stunde", "HassStartTimer", {"minutes": 30}),
    ("brich den Timer ab", "HassCancelTimer", {}),
    ("wie lange läuft der Timer noch", "HassTimerStatus", {}),
    ("lauter", "HassSetVolumeRelative", {"volume_step": "up"}),
    ("zwanzig Prozent leiser", "HassSetVolumeRelative", {"volume_step": -20}),
    ("stell die Lautstärke auf vierzig Prozent", "HassSetVolume", {"volume_level": 40}),
    ("wie geht es dir", "ApplianceStatus", {}),
    ("was kann ich sagen", "ApplianceHelp", {}),
    ("wiederhole das", "ApplianceRepeat", {}),
    ("stopp", "ApplianceStop", {}),
    ("vergiss es", "HassNevermind", {}),
    ("schalte die Stehlampe ein", "HassTurnOn", {"name": "Stehlampe"}),
    ("schalte das Licht im Büro aus", "HassTurnOff", {"area": "Büro", "domain": "light"}),
]


@pytest.mark.parametrize(("text", "intent", "slots"), GERMAN)
def test_german(text: str, intent: str, slots: dict[str, Any]) -> None:
    assert understood(interpreter("de", "kueche").interpret(text)) == (intent, slots)


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [
        ("fr", "allume la lampe", "HassTurnOn"),
        ("es", "enciende lampe", "HassTurnOn"),
        ("nl", "hoe laat is het", "HassGetCurrentTime"),
    ],
)
def test_other_languages_have_what_is_upstream(language: str, text: str, intent: str) -> None:
    home = Home(None, (), (Entity("lampe", "light"),))
    assert understood(Interpreter(grammar_source(home, language), home).interpret(text))[0] == intent


# -- the labelled sets ------------------------------------------------------------------------------------------------


@needs_shared
@pytest.mark.parametrize("kind", ["home", "local"])
def test_every_labelled_sentence(kind: str) -> None:
    home = load_home(COMMANDS / "home" / "home.json")
    meant = Interpreter(grammar_source(home, "en"), home)
    labels = json.loads((COMMANDS / kind / "labels.json").read_text())
    spoken = [label for label in labels.values() if label["text"]]
    wrong = [label["text"] for label in spoken if not holds(meant.interpret(label["text"]), label)]
    assert len(spoken) > 10 and wrong == []


@needs_shared
def test_every_labelled_coffee_order_beside_the_builtin_sentences() -> None:
    settings = IntentSettings(sentences=(COMMANDS / "coffee" / "sentences.yaml",))
    meant = Interpreter(grammar_source(Home(), "en", settings), Home())
    labels = json.loads((COMMANDS / "coffee" / "labels.json").read_text())
    wrong = [order(label) for label in labels.values() if not holds(meant.interpret(order(label)), label)]
    assert len(labels) > 100 and wrong == []


def order(label: dict[str, Any]) -> str:
    """The order as somebody would say it who wants just these slots."""
    slots = {key: value.strip() for key, value in label["slots"].items()}
    drink = [slots[key] for key in ("size", "roast", "numberOfShots", "coffeeDrink") if key in slots]
    extras = [slots[key] for key in ("milkAmount", "sugarAmount") if key in slots]
    article = "an" if drink[0][0] in "aei" else "a"
    return f"I want {article} {' '.join(drink)}" + (f" with {' and '.join(extras)}" if extras else "")


# -- follow-ups and questions -----------------------------------------------------------------------------------------


def test_and_another_room_too() -> None:
    meant = interpreter()
    first = meant.interpret("turn off the lights in the office")
    assert understood(meant.interpret("and the attic too", first)) == (
        "HassTurnOff",
        {"area": "Attic", "domain": "light"},
    )
    assert understood(meant.interpret("what about the kitchen", first))[1]["area"] == "Kitchen"


def test_and_another_device() -> None:
    meant = interpreter()
    first = meant.interpret("turn off the reading lamp")
    assert understood(meant.interpret("and ceiling two", first)) == ("HassTurnOff", {"name": "Ceiling 2"})


def test_a_room_after_a_device_means_its_kind_there() -> None:
    meant = interpreter()
    first = meant.interpret("turn off the reading lamp")
    assert understood(meant.interpret("and in the attic", first)) == (
        "HassTurnOff",
        {"domain": "light", "area": "Attic"},
    )


@pytest.mark.parametrize("first", ["what time is it", "set a timer for five minutes", "stop"])
def test_what_has_no_place_is_not_said_again_for_a_room(first: str) -> None:
    meant = interpreter()
    assert meant.interpret("and the attic too", meant.interpret(first)) is None


def test_the_same_words_mean_something_else_after_something_else() -> None:
    meant = interpreter()
    off = meant.interpret("turn off the reading lamp")
    assert understood(meant.interpret("ceiling two")) == ("HassTurnOn", {"name": "Ceiling 2"})
    assert understood(meant.interpret("ceiling two", off)) == ("HassTurnOff", {"name": "Ceiling 2"})


def test_a_whole_command_after_another_stands_for_itself() -> None:
    meant = interpreter()
    first = meant.interpret("turn off the reading lamp")
    assert understood(meant.interpret("what time is it", first)) == ("HassGetCurrentTime", {})


@pytest.mark.parametrize(
    ("answer", "slots"),
    [
        ("the reading lamp", {"name": "Reading Lamp"}),
        ("the first one", {"name": "Reading Lamp"}),
        ("the second one", {"name": "Ceiling 2"}),
        ("ceiling two", {"name": "Ceiling 2"}),
        ("yes please", {"name": "Reading Lamp"}),
    ],
)
def test_an_answer_to_a_question(answer: str, slots: dict[str, Any]) -> None:
    meant = interpreter()
    first, second = meant.interpret("turn off the reading lamp"), meant.interpret("turn off ceiling two")
    assert first is not None and second is not None
    asked = ambiguous(first, second)
    assert asked is not None and asked.question is not None and asked.question.choices == ("Reading Lamp", "Ceiling 2")
    assert understood(meant.interpret(answer, asked)) == ("HassTurnOff", slots)


def test_no_to_a_question_ends_it_and_a_new_command_replaces_it() -> None:
    meant = interpreter()
    first, second = meant.interpret("what time is it"), meant.interpret("what's the date")
    assert first is not None and second is not None
    asked = ambiguous(first, second)
    assert asked is not None and asked.question is not None and asked.question.slot == "intent"
    assert understood(meant.interpret("no", asked))[0] == "HassNevermind"
    assert understood(meant.interpret("the second one", asked))[0] == "HassGetCurrentDate"
    assert understood(meant.interpret("stop", asked))[0] == "ApplianceStop"
    assert ambiguous(first, first) is None


# -- difficult homes --------------------------------------------------------------------------------------------------


def two_lamps(own: str | None) -> Interpreter:
    home = Home(
        own,
        (Area("Bedroom"), Area("Office")),
        (Entity("Desk Lamp", "light", area="Bedroom"), Entity("Desk Lamp", "light", area="Office")),
    )
    return Interpreter(grammar_source(home, "en"), home)


def test_two_devices_of_one_name_are_asked_about() -> None:
    meant = two_lamps(None)
    asked = meant.interpret("turn on the desk lamp")
    assert asked is not None and asked.question is not None
    assert asked.question.slot == "area" and asked.question.choices == ("Bedroom", "Office")
    answered = meant.interpret("in the office", asked)
    assert understood(answered) == ("HassTurnOn", {"name": "Desk Lamp", "area": "Office"})


def test_two_devices_of_one_name_the_own_room_wins() -> None:
    meaning = two_lamps("Office").interpret("turn on the desk lamp")
    assert understood(meaning) == ("HassTurnOn", {"name": "Desk Lamp", "area": "Office"})
    assert meaning is not None and meaning.question is None


NAMES = ("ランプ", "Lamp [old] {x}|<y>", "()")


def test_names_in_other_scripts_and_with_template_signs() -> None:
    home = Home(
        None,
        (Area("Кухня"),),
        (Entity("ランプ", "light"), Entity("Lamp [old] {x}|<y>", "light"), Entity("()", "light")),
    )
    meant = Interpreter(grammar_source(home, "en"), home)
    assert understood(meant.interpret("turn on ランプ"))[1]["name"] == "ランプ"
    assert understood(meant.interpret("turn on lamp old x y"))[1]["name"] == "Lamp [old] {x}|<y>"
    assert understood(meant.interpret("turn on the lights in кухня"))[1]["area"] == "Кухня"


def test_five_thousand_names() -> None:
    home = Home("Hall", (Area("Hall"),), tuple(Entity(f"Lamp {n} upstairs", "light") for n in range(5000)))
    meant = Interpreter(grammar_source(home, "en"), home)
    assert understood(meant.interpret("turn on lamp 4321 upstairs"))[1]["name"] == "Lamp 4321 upstairs"
    words = "turn on lamp four thousand three hundred twenty-one upstairs"
    assert understood(meant.interpret(words))[1]["name"] == "Lamp 4321 upstairs"


def test_a_search_ends_when_its_budget_is_spent() -> None:
    home = Home("Hall", (Area("Hall"),), tuple(Entity(f"Lamp {n}", "media_player") for n in range(2000)))
    meant = Interpreter(grammar_source(home, "en"), home)
    begun_s = time.thread_time()
    meant.interpret("play " + "on and on in the very long song " * 40, budget_s=0.02)
    assert time.thread_time() - begun_s < 5.0
    assert understood(meant.interpret("what time is it"))[0] == "HassGetCurrentTime"


def test_source_survives_being_written(tmp_path: Path) -> None:
    source = grammar_source(HOUSE, "en-US")
    again = type(source).read(source.write(tmp_path))
    assert again == source and again.language == "en" and "HassStartTimer" in again.own_intents


def test_elliptic_sentences_are_in_the_following_grammar_only() -> None:
    source = grammar_source(HOUSE, "en")
    for grammar, heard in ((source, False), (following(source), True)):
        walk = Walker(compile_grammar(grammar).graph)
        assert walk.accepts("and the attic too") is heard
        assert walk.accepts("what time is it")


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("set kitchen lights to green", {"area": "Kitchen", "color": "green"}),
        ("make the office lamp red", {"area": "Office", "color": "red"}),
        ("dim the loft lights to 20%", {"area": "Attic", "brightness": 20}),
        ("set the office light brightness to maximum", {"area": "Office", "brightness": 100}),
    ],
)
def test_light_of_a_room_named_before_it(text: str, slots: dict[str, Any]) -> None:
    """Upstream knows "the lights in the kitchen" only."""
    meant = interpreter().interpret(text)
    assert meant is not None and meant.intent == "HassLightSet"
    assert slots.items() <= dict(meant.slots).items()


@pytest.mark.parametrize("text", ["I'd like a tea please", "please I'd like a tea", "could you I'd like a tea for me"])
def test_polite_words_beside_a_sentence_that_holds_one(text: str, tmp_path: Path) -> None:
    """ "I'd like" is one of the polite words that hassil leaves out all at once."""
    file = tmp_path / "own.yaml"
    file.write_text(
        'language: en\nintents:\n  Tea:\n    data:\n      - sentences: ["I\'d like a tea"]\n', encoding="utf-8"
    )
    source = grammar_source(Home(), "en", IntentSettings(sentences=(file,)))
    meant = Interpreter(source, Home()).interpret(text)
    assert meant is not None and meant.intent == "Tea"
