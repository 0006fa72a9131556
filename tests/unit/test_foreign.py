"""Names of other languages in an English home: spelled by their sound, heard under that spelling, understood as the name."""

from __future__ import annotations

import shutil

import pytest

from appliance.errors import GrammarError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.respell import MOST_SPELLINGS, spellings
from appliance.intents.foreign import MOST_RESPELT, english_spellings
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
HOME = Home("Kitchen", (Area("Kitchen"), Area("Кухня")), (Entity("Лампа", "light"), Entity("Küche", "light")))


@pytest.mark.parametrize(
    ("ipa", "wanted"),
    [("ɭˈɑmpa", "lampa"), ("kˈyçə", "kusha"), ("kuzˈina", "koozina"), ("mɑ̃ʒ", "manzh"), ("vˈoːnt sɪmɜ", "vont simer")],
)
def test_sounds_become_letters(ipa: str, wanted: str) -> None:
    found = spellings(ipa)
    assert wanted in found
    assert 1 <= len(found) <= MOST_SPELLINGS == len(set(spellings("ˈaːbeɪdʒiua")))
    assert all(letter == " " or "a" <= letter <= "z" for text in found for letter in text)


def test_what_has_no_sound_has_no_spelling() -> None:
    assert spellings("") == spellings("ˈː") == ()
    assert english_spellings(["Floor Lamp", "🔥🔥"]) == {}


@needs_espeak
def test_a_foreign_name_is_heard_by_its_sound_and_understood_as_the_name() -> None:
    problems: list[GrammarError] = []
    source = grammar_source(HOME, "en", problems=problems)
    assert problems == []
    walker, meant = Walker(compile_grammar(source).graph), Interpreter(source, HOME)
    for said, name in (("turn on the lampa", "Лампа"), ("turn on the kuche", "Küche"), ("turn on the kusha", "Küche")):
        meaning = meant.interpret(walker.write(said) or "")
        assert meaning is not None and meaning.slots["name"] == name
    kitchen = english_spellings(["Кухня"])["Кухня"][0]
    meaning = meant.interpret(walker.write(f"turn on the lights in the {kitchen}") or "")
    assert meaning is not None and meaning.slots["area"] == "Кухня"


@needs_espeak
def test_a_language_of_its_own_script_needs_no_spelling() -> None:
    values = grammar_source(HOME, "ru").sentences["lists"]["name"]["values"]
    assert {value["in"] for value in values} == {"Лампа", "Küche"}


@needs_espeak
def test_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.intents.foreign.PATIENCE_S", 500.0)  # the number is asked for, not the time
    assert (
        len(english_spellings(f"Лампа {chr(0x430 + at % 32)}{chr(0x430 + at // 32)}" for at in range(300)))
        == MOST_RESPELT
    )
