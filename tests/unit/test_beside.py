"""In: sentences around commands. Out: what is meant and done, and what is refused with its reason; both in the grammar."""

from __future__ import annotations

import pytest

from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.spoken import letters
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Area, Entity, Home
from appliance.intents.interpretation import Slot
from appliance.intents.recognise import REFUSAL, Interpreter
from appliance.intents.source import grammar_source

BUDGET_S = 20.0
"""CPU: what is understood is tested here, not how fast a busy machine does it."""
HOME = Home(
    area="Attic",
    areas=(Area("Attic"), Area("Porch")),
    entities=(
        Entity("Porch Light", "light", area="Porch"),
        Entity("Side Door", "lock", area="Porch"),
        Entity("Boiler", "switch", area="Attic"),
        Entity("Shutters", "cover", area="Attic"),
    ),
)


@pytest.fixture(scope="module")
def source() -> GrammarSource:
    return grammar_source(HOME, "en")


@pytest.fixture(scope="module")
def interpreter(source: GrammarSource) -> Interpreter:
    return Interpreter(source, HOME)


@pytest.fixture(scope="module")
def walker(source: GrammarSource) -> Walker:
    return Walker(compile_grammar(source).graph)


def sayable(walker: Walker, text: str) -> bool:
    """Whether the recogniser's grammar holds `text`, given in letter form, without any free text."""
    states = {0}
    for letter in f" {text}":
        states = {step.state for state in states for _, step in walker.steps(state, [letter])}
    return any(walker.final(state) is not None for state in states)


REFUSED = [
    ("don't turn off the porch light", "negated"),
    ("never unlock the side door", "negated"),
    ("should i unlock the side door", "told"),
    ("tell peter to turn off the boiler", "told"),
    ("she said open the shutters", "told"),
    ("open the shutters if it rains", "tied"),
    ("turn off the boiler every morning", "tied"),
    ("turn on the porch light at nine p m", "tied"),
    ("turn off all the lights except the porch light", "except"),
    ("lock the side door and then turn off the boiler", "second"),
    ("turn on the boiler no the porch light", "taken_back"),
    ("don't turn off the porch light in five minutes", "negated"),
    ("turn off all the lights but not the porch", "except"),
    ("turn off the cellar light", "unknown"),
    ("lock the back door", "unknown"),
    ("paint the side door", "unable"),
    ("who turned off the porch light", "told"),
    ("why is the porch light on", "told"),
    ("turn off everything but the boiler", "except"),
    ("turn on the attic no the porch light", "taken_back"),
    ("turn on peter's lamp", "unknown"),
    ("turn off floor lamp three", "unknown"),
    ("the porch light is broken", "unable"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_command_that_is_taken_back_or_tied_is_refused(interpreter: Interpreter, text: str, reason: str) -> None:
    meant = interpreter.interpret(text, None, BUDGET_S)
    assert meant is not None and (meant.intent, meant.slots["reason"]) == (REFUSAL, reason)


DONE: list[tuple[str, str, dict[str, Slot]]] = [
    ("set a timer for a quarter of an hour", "HassStartTimer", {"minutes": 15}),
    ("set a timer for a minute and a half", "HassStartTimer", {"minutes": 1, "seconds": 30}),
    ("set a timer for two and a half hours", "HassStartTimer", {"hours": 2, "minutes": 30}),
    ("set a timer for one hour and fifteen minutes", "HassStartTimer", {"hours": 1, "minutes": 15}),
    ("set a timer for 120 minutes", "HassStartTimer", {"minutes": 120}),
    ("set a timer for five no ten minutes", "HassStartTimer", {"minutes": 10}),
    ("set the thermostat to minus five degrees", "HassClimateSetTemperature", {"temperature": -5}),
    ("set the porch light to half", "HassLightSet", {"name": "Porch Light", "brightness": 50}),
    ("set the porch light to maximum", "HassLightSet", {"name": "Porch Light", "brightness": 100}),
    ("did you turn off the porch light", "HassGetState", {"name": "Porch Light", "state": "off"}),
    ("did you lock the side door", "HassGetState", {"name": "Side Door", "state": "locked"}),
    ("I don't want the boiler on", "HassTurnOff", {"name": "Boiler"}),
    ("turn off the porch light", "HassTurnOff", {"name": "Porch Light"}),
    ("turn off the porch light in five minutes", "HassStartTimer", {"minutes": 5}),
]


@pytest.mark.parametrize(("text", "intent", "slots"), DONE)
def test_what_is_meant_is_understood(interpreter: Interpreter, text: str, intent: str, slots: dict[str, Slot]) -> None:
    meant = interpreter.interpret(text, None, BUDGET_S)
    assert meant is not None and meant.intent == intent
    assert {name: meant.slots.get(name) for name in slots} == slots


def test_a_timer_without_a_length_asks(interpreter: Interpreter) -> None:
    meant = interpreter.interpret("set a timer")
    assert meant is not None and meant.intent == "HassStartTimer" and not meant.slots


def test_a_name_of_the_home_comes_before_one_that_homes_often_have() -> None:
    """A home with a cellar light: its name is no unknown one."""
    home = Home(areas=(Area("Cellar"),), entities=(Entity("Cellar Light", "light", area="Cellar"),))
    meant = Interpreter(grammar_source(home, "en"), home).interpret("turn on the cellar light")
    assert meant is not None and meant.intent == "HassTurnOn", meant
    assert (meant.slots.get("name"), meant.slots.get("area")) in (("Cellar Light", None), (None, "Cellar")), meant.slots


WITHOUT_FREE_TEXT = [text for text, reason in REFUSED if reason == "negated" or text.endswith(("morning", "m"))]


@pytest.mark.parametrize("text", WITHOUT_FREE_TEXT + [each[0] for each in DONE])
def test_the_recogniser_listens_for_it(walker: Walker, text: str) -> None:
    assert sayable(walker, letters(text.replace("120", "a hundred and twenty")))
