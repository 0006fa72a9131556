"""A language heard by a recogniser of another: its sounds, its core sentences, the search's states, and how it is written."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.catalogue.catalogue import read_catalogue
from appliance.catalogue.stand_in import STAND_INS
from appliance.engines.stt.accent import accent_of
from appliance.engines.stt.pieces import Vocabulary
from appliance.engines.stt.pronounce import pronouncer
from appliance.engines.stt.sounded import SoundStates
from appliance.errors import GrammarError, SttError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.sounds import in_sounds, signs
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import following, grammar_source
from appliance.settings.conversation import IntentSettings

HOME = Home(
    "Küche",
    (Area("Küche"), Area("Bad")),
    (
        *(Entity("Stehlampe", "light", area="Küche"), Entity("Garagentor", "cover"), Entity("Radio", "media_player")),
        *(Entity("Heizung", "climate", area="Bad"), Entity("Filmabend", "scene"), Entity("Mixer", "switch")),
    ),
)
PIECES = ["<blk>", *("▁SH", "AL", "TA", "D", "▁A", "S", "▁LI", "FF", "T", "▁OW", "'", "Z", "▁SA", "N")]
SAID = {"schalte": "ʃaltə", "das": "das", "licht": "lɪxt", "aus": "Us"}


@pytest.mark.parametrize(
    ("ipa", "wanted"),
    [
        ("ʃˈaltə", "ʃaltə"),
        ("fˈynfʊnttsvˌantsɪç", "fynfʊntCvanCɪç"),
        ("(en)tˈaɪmə(de)", "tImə"),
        ("rˈɑdɪˌoː", "ɾadɪo"),
        ("lˈɔøft", "lOft"),
    ],
)
def test_a_sound_is_one_sign(ipa: str, wanted: str) -> None:
    assert signs(ipa) == wanted


def test_the_accent_knows_every_sound_of_german() -> None:
    accent = accent_of("de-AT", "en")
    assert accent is not None and accent_of("en", "en") is None and accent_of("fr", "en") is None
    assert all(
        letter == " " or "a" <= letter <= "z" for ways in accent.ways.values() for way, _ in ways for letter in way
    )
    assert all(cost >= 0 for ways in accent.ways.values() for _, cost in ways)
    said = (
        "zwölf fünfzig dreißig genug jalousie büro schreibtischlampe pfanne quelle tschüss häuser ich ach öl regisseur"
    )
    try:
        assert set(in_sounds(said, pronouncer("de"))) <= set(accent.ways)
    except SttError as error:
        pytest.skip(str(error))


def test_who_stands_in_has_an_accent() -> None:
    for language, names in STAND_INS.items():
        assert all(accent_of(language, read_catalogue().entry(name, "stt").language) for name in names)


def test_only_a_language_with_core_sentences_can_be_borrowed_for(tmp_path: Path) -> None:
    german, english = grammar_source(HOME, "de"), grammar_source(Home(), "en")
    assert GrammarSource.read(german.write(tmp_path)) == german and german.core
    assert "core" not in json.loads(english.write(tmp_path).read_text(encoding="utf-8"))
    with pytest.raises(GrammarError, match="no core sentences in the language 'en'"):
        compile_grammar(english, sound=str)


def test_without_the_built_in_sentences_only_the_owners_are_left(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("language: de\nintents: {Kaffee: {data: [{sentences: [koche Kaffee]}]}}\n", encoding="utf-8")
    source = grammar_source(HOME, "de", IntentSettings(sentences=(own,), builtin=False))
    assert source.core is not None and set(source.core) == {"Kaffee"}


def test_every_core_sentence_is_understood_as_what_it_stands_for() -> None:
    source = grammar_source(HOME, "de")
    assert source.core is not None
    meant = Interpreter(source, HOME)
    for name, intent in source.core.items():
        alone = {**source.sentences, "intents": {name: intent}, "skip_words": []}
        compiled = compile_grammar(replace(source, sentences=alone))
        assert bool(compiled.dropped) == (name in ("ApplianceYes", "ApplianceNo")), "answers need a question"
        walker = Walker(compiled.graph)
        for said in _walks(walker, 40 if compiled.sentences else 0):
            understood = meant.interpret(walker.write(said) or "")
            assert understood is not None and understood.intent == name, said


def test_a_question_can_be_answered() -> None:
    source = following(grammar_source(HOME, "de"))
    walker = Walker(compile_grammar(source, ("im Bad",), sound=str).graph)
    assert [walker.write(said) for said in ("ja", "nein danke", "im bad")] == ["ja", "nein danke", "im Bad"]
    assert Walker(compile_grammar(grammar_source(HOME, "de"), sound=str).graph).write("ja") is None


def test_templates_cut_no_words() -> None:
    core = grammar_source(HOME, "de").core
    assert core is not None
    texts = [text for intent in core.values() for block in intent["data"] for text in block["sentences"]]
    cut = [text for text in texts for at, sign in enumerate(text) if sign == "[" and at and text[at - 1].isalnum()]
    assert len(texts) > 60 and not cut


def test_the_owners_own_intents_are_listened_for(tmp_path: Path) -> None:
    file = tmp_path / "coffee.yaml"
    file.write_text(
        "language: de\nintents:\n  Coffee:\n    data:\n      - sentences: [koch mir einen kaffee]\n", "utf-8"
    )
    source = grammar_source(HOME, "de", IntentSettings(sentences=(file,)))
    walker = Walker(compile_grammar(source, sound=str).graph)
    assert walker.write("koch mir einen kaffee") == "koch mir einen kaffee"
    assert walker.write("stelle einen timer auf fünf minuten") == "stelle einen Timer auf 5 Minuten"
    assert walker.write("stelle einen timer auf dreizehn minuten") is None, "numbers are coarse"


@pytest.fixture(scope="module")
def states() -> SoundStates:
    core = {"Light": {"data": [{"sentences": ["schalte [das] Licht aus"]}]}}
    source = GrammarSource("de", {"language": "de", "intents": {}}, core=core)
    accent = accent_of("de", "en")
    assert accent is not None
    walker = Walker(compile_grammar(source, sound=lambda word: SAID[word]).graph)
    return SoundStates(walker, Vocabulary(PIECES), accent)


def _led(states: SoundStates, said: str) -> list[tuple[list[int], int]]:
    """Where the pieces `said` lead: (pieces, state)."""
    ways: list[tuple[list[int], int]] = [([], 0)]
    for piece in (PIECES.index(text) for text in said.split()):
        found = []
        for pieces, state in ways:
            states.need(np.array([state]))
            row = slice(states.start[state], states.start[state] + states.count[state])
            reached = states.pools[1][row][states.pools[0][row] == piece]
            found += [([*pieces, piece], int(target)) for target in reached]
        ways = found
    return ways


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("▁SH AL TA D AL S ▁LI FF T ▁OW S", None),
        ("▁SH AL TA D ▁A S", None),
        ("▁SH AL TA ▁LI FF T ▁OW S", "schalte Licht aus"),
        ("▁SH AL TA ' ▁LI FF T ▁OW S", "schalte Licht aus"),
        ("▁SH AL TA D", None),
        ("▁SH AL TA ▁LI FF T ▁OW Z", None),
    ],
)
def test_pieces_of_english_are_read_as_german(states: SoundStates, said: str, written: str | None) -> None:
    ends = [(pieces, state) for pieces, state in _led(states, said) if states.final(state) is not None]
    texts = {states.walker.write(states.heard(pieces, state, whole=True)) for pieces, state in ends}
    assert texts == ({written} if written else set())


def test_a_beginning_is_written_too(states: SoundStates) -> None:
    beginnings = {
        states.walker.write(states.heard(pieces, state, whole=False), whole=False)
        for pieces, state in _led(states, "▁SH AL TA ▁LI FF T")
    }
    assert beginnings == {"schalte Licht"}


def test_states_can_be_made_anew(states: SoundStates) -> None:
    before = {states.final(state) for _, state in _led(states, "▁SH AL TA ▁LI FF T ▁OW S")}
    states.trim(0)
    assert {states.final(state) for _, state in _led(states, "▁SH AL TA ▁LI FF T ▁OW S")} == before != {None}


def _walks(walker: Walker, count: int) -> list[str]:
    """Random whole sentences, letter by letter."""
    dice, found = random.Random(1), list[str]()
    while len(found) < count:
        state, said = 0, ""
        while (letters := sorted(walker.letters(state))) and not (
            walker.final(state) is not None and dice.random() < 0.3
        ):
            letter = dice.choice(letters)
            step = walker.step(state, letter)
            assert step is not None
            state, said = step.state, said + letter
        if walker.final(state) is not None and said.strip():
            found.append(" ".join(said.split()))
    return found
