"""Near misses: what sounds like a command becomes one, talk does not."""

from __future__ import annotations

from functools import lru_cache

import pytest

from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.rescue import NEAR, Rescuer, sounds
from appliance.intents.source import grammar_source

HOUSE = Home(
    "Hall",
    (Area("Hall"), Area("Cellar")),
    (Entity("Garden Lamp", "light"), Entity("Back Door", "lock"), Entity("Gate", "cover")),
)


@lru_cache(maxsize=1)
def rescuer() -> Rescuer:
    source = grammar_source(HOUSE, "en")
    return Rescuer(source, Interpreter(source, HOUSE))


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("what time is at", "HassGetCurrentTime", {}),
        ("setter timer for five minutes", "HassStartTimer", {"minutes": 5}),
        ("set a time her for twenty five minutes", "HassStartTimer", {"minutes": 25}),
        ("turn on the guard and lamp", "HassTurnOn", {"name": "Garden Lamp"}),
        ("turn of the light sin the seller", "HassTurnOff", {"area": "Cellar"}),
        ("lock the bag door", "HassTurnOn", {"name": "Back Door"}),
        ("sat garden lump to fifty percent", "HassLightSet", {"name": "Garden Lamp", "brightness": 50}),
        ("pause the tie mer", "HassPauseTimer", {}),
    ],
)
def test_near_misses(text: str, intent: str, slots: dict[str, object]) -> None:
    found = rescuer().rescue(text)
    assert found is not None and 0 <= found.distance <= NEAR
    assert found.interpretation.intent == intent
    assert slots.items() <= found.interpretation.slots.items()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the weather is nice when the sun shines",
        "tell me a story about dragons",
        "what's on television tonight",
        "we should go and visit grandmother next weekend",
        "word " * 40,
    ],
)
def test_talk_is_no_command(text: str) -> None:
    assert rescuer().rescue(text) is None


def test_what_is_right_is_near() -> None:
    found = rescuer().rescue("turn on the garden lamp")
    assert found is not None and found.distance < 0.1 and found.interpretation.slots == {"name": "Garden Lamp"}


def test_sounds() -> None:
    assert sounds("Set a timer") == sounds("setter timer".replace("er t", "a t"))
    assert sounds("Büro") == sounds("buro")
