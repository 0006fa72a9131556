"""Rare words of owners: listened for under other letters of their sound, written as the owner wrote them."""

from __future__ import annotations

from pathlib import Path

from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.dictionary import pronounced, rarer
from appliance.grammar.lexicon.soundalike import MOST_SPELLINGS, RARE, soundalikes
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Area, Entity, Home
from appliance.intents.rare import MOST_WORDS, written_otherwise
from appliance.intents.source import grammar_source
from appliance.settings.conversation import IntentSettings

OWN = """\
language: en
intents:
  Serve:
    data:
      - sentences: ["serve [a] {dish}"]
lists:
  dish:
    values: [lasagna, {in: "(gnocchi|dumplings)", out: gnocchi}, soup, risotto with gnocchi, lasanya]
"""


def _walker(tmp_path: Path, home: Home | None = None) -> tuple[GrammarSource, Walker]:
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    source = grammar_source(home or Home(), "en", IntentSettings(sentences=(file,)))
    return source, Walker(compile_grammar(source).graph)


def test_rare_words_have_other_letters_for_their_sound_and_common_ones_have_none() -> None:
    found = soundalikes(["gnocchi", "lasagna", "kitchen", "soup", "xqzt"])
    assert set(found) == {"gnocchi", "lasagna"}
    assert "nocki" in found["gnocchi"] or "noki" in found["gnocchi"]
    for word, others in found.items():
        assert 1 <= len(others) <= MOST_SPELLINGS == len(set(found["lasagna"]))
        assert word not in others
        assert all(text.isascii() and text.isalpha() for text in others)


def test_rarity_and_sounds_come_from_the_dictionary() -> None:
    assert pronounced(["gnocchi", "xqzt"]) == {"gnocchi": [("N", "OW", "K", "IY")]}
    assert len(pronounced(["either"])["either"]) == 2
    assert rarer(["soup", "gnocchi", "xqzt"], RARE) == ["gnocchi", "xqzt"]
    assert rarer(["soup", "gnocchi"], 0.0) == ["soup", "gnocchi"]


def test_a_value_is_heard_in_other_letters_and_written_as_it_stands(tmp_path: Path) -> None:
    source, walker = _walker(tmp_path)
    for other in source.spellings["gnocchi"]:
        assert walker.write(f"serve {other}") == "serve gnocchi"
        assert walker.write(f"serve risotto with {other}") == "serve risotto with gnocchi"
    assert walker.write("serve gnocchi") == "serve gnocchi"
    assert walker.write("serve noccy") is None


def test_where_another_value_is_written_so_that_one_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    other = soundalikes(["gnocchi"])["gnocchi"][0]
    file.write_text(OWN.replace("lasanya", other))
    walker = Walker(compile_grammar(grammar_source(Home(), "en", IntentSettings(sentences=(file,)))).graph)
    assert walker.write(f"serve {other}") == f"serve {other}"


def test_names_of_the_home_count_and_built_in_words_do_not(tmp_path: Path) -> None:
    source, walker = _walker(tmp_path, Home(None, (Area("Veranda"),), (Entity("Sauna Lamp", "light"),)))
    assert {"veranda", "sauna"} <= set(source.spellings)
    assert walker.write(f"turn on the {source.spellings['sauna'][0]} lamp") == "turn on the Sauna Lamp"
    assert set(grammar_source(Home(), "en").spellings) == set()


def test_the_starter_grammar_keeps_to_words_as_they_are_written(tmp_path: Path) -> None:
    source, _ = _walker(tmp_path)
    walker = Walker(compile_grammar(source, reduced=True).graph)
    assert walker.write("serve gnocchi") == "serve gnocchi"
    assert walker.write(f"serve {source.spellings['gnocchi'][0]}") is None


def test_the_source_carries_them_through_its_file(tmp_path: Path) -> None:
    source, _ = _walker(tmp_path)
    assert GrammarSource.read(source.write(tmp_path)) == source


def test_another_language_has_none_and_their_number_is_bounded() -> None:
    values = {"values": ["gnocchi", "tiramisu"]}
    assert written_otherwise([values], "de") == {}
    assert set(written_otherwise([values], "en")) == {"gnocchi", "tiramisu"}
    many = {
        "values": [f"kitchen {word}" for word in ("aa" * 2 + chr(97 + i % 26) + chr(97 + i // 26) for i in range(400))]
    }
    assert written_otherwise([many, values], "en") == {}
    assert len(many["values"]) > MOST_WORDS
