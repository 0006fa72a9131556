"""In: sentences asked for again. Out: a meaning is searched once, forgotten with its names, and never kept as a failure."""

from __future__ import annotations

from appliance.conversation.meanings import Meanings
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source


def _interpreter(*entities: Entity) -> Interpreter:
    home = Home(areas=(Area("Kitchen"),), entities=entities)
    return Interpreter(grammar_source(home, "en"), home)


def test_known_meanings_are_those_of_the_search() -> None:
    interpreter, meanings = _interpreter(Entity("lamp", "light")), Meanings()
    for text in ("set a timer for five minutes", "turn on the lamp", "what time is it"):
        searched = interpreter.interpret(text, None)
        assert searched is not None
        assert meanings.of(interpreter, text, None) == meanings.of(interpreter, text, None) == searched
    assert meanings.lookups == (3, 6)


def test_new_names_forget_and_failures_are_not_kept() -> None:
    old, meanings = _interpreter(), Meanings()
    assert meanings.of(old, "turn on the gadget", None) is None and meanings.of(old, "turn on the gadget", None) is None
    assert meanings.lookups == (0, 2)
    new = _interpreter(Entity("gadget", "light"))
    assert meanings.of(new, "turn on the gadget", None) is not None
    assert meanings.of(old, "turn on the gadget", None) is None, "known to another home only"


def test_what_it_refers_to_is_part_of_the_question() -> None:
    interpreter, meanings = _interpreter(), Meanings()
    before = interpreter.interpret("turn on the lights in the kitchen", None)
    meanings.of(interpreter, "what time is it", None)
    meanings.of(interpreter, "what time is it", before)
    assert meanings.lookups == (0, 2)


def test_it_is_bounded() -> None:
    interpreter, meanings = _interpreter(), Meanings(most=2)
    for minutes in ("five", "six", "seven", "five"):
        meanings.of(interpreter, f"set a timer for {minutes} minutes", None)
    assert meanings.lookups == (0, 4)
