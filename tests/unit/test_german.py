"""A second language: sentences understood, numbers, replies spoken, and a recogniser that says what it cannot hear."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from appliance.engines.stt.sphinx import SphinxRecogniser
from appliance.engines.tts.libespeak import Espeak
from appliance.errors import SttError, TtsError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.spoken import number_words
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.replies import Replies, strip_marks
from appliance.intents.source import grammar_source
from appliance.wire.stt import Transcribe

HOME = Home(
    "Küche",
    (Area("Küche"), Area("Wohnzimmer")),
    (Entity("Stehlampe", "light", area="Wohnzimmer"), Entity("Garagentor", "cover"), Entity("Lampe 2", "light")),
)
SAID: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("wie spät ist es", "HassGetCurrentTime", {}),
    ("stelle einen timer auf fünf minuten", "HassStartTimer", {"minutes": 5}),
    ("stelle einen timer auf fünfundzwanzig minuten", "HassStartTimer", {"minutes": 25}),
    ("pausiere den timer", "HassPauseTimer", {}),
    ("lösche alle timer", "HassCancelAllTimers", {}),
    ("schalte das licht in der küche an", "HassTurnOn", {"area": "Küche"}),
    ("schalte die stehlampe aus", "HassTurnOff", {"name": "Stehlampe"}),
    ("öffne das garagentor", "HassTurnOn", {"name": "Garagentor"}),
    ("abbrechen", "HassNevermind", {}),
)


@pytest.mark.parametrize(("said", "intent", "slots"), SAID)
def test_what_is_heard_is_understood(
    said: str, intent: str, slots: dict[str, object], german: tuple[Walker, Interpreter]
) -> None:
    walker, meant = german
    written = walker.write(said)
    assert written is not None, "the recogniser's grammar holds it"
    meaning = meant.interpret(written)
    assert meaning is not None and meaning.intent == intent
    assert {key: meaning.slots.get(key) for key in slots} == slots


@pytest.fixture(scope="module")
def german() -> tuple[Walker, Interpreter]:
    source = grammar_source(HOME, "de-DE")
    return Walker(compile_grammar(source).graph), Interpreter(source, HOME)


def test_numbers_are_words() -> None:
    assert "fünfundzwanzig" in number_words(25, "de")
    walker = Walker(compile_grammar(grammar_source(HOME, "de")).graph)
    assert walker.write("schalte lampe zwei ein") == "schalte Lampe 2 ein"


def test_replies_are_german_and_can_be_spoken() -> None:
    replies = Replies("de-DE")
    said = strip_marks(replies.say("time", time=replies.time(datetime(2026, 3, 1, 15, 20))))
    assert "15 Uhr 20" in said
    assert replies.duration(3900) == "eine Stunde und 5 Minuten"
    try:
        library = Espeak()
    except TtsError as error:
        pytest.skip(str(error))
    assert len(library.samples(said, "de", 1.0, lambda: True)) > library.rate_hz


def test_the_starter_engine_says_that_it_hears_english_only(tmp_path: Path) -> None:
    request = Transcribe(language="de", grammar=str(grammar_source(HOME, "de").write(tmp_path)))
    engine = SphinxRecogniser()
    if (pending := engine.prepare(request)) is not None:  # else it was refused at once
        assert isinstance(pending.exception(30), SttError)
    with pytest.raises(SttError, match="English only"):
        engine.utterance(request)
