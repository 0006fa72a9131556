"""load_home: what it takes, what it refuses and with which sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.errors import GrammarError
from appliance.intents.home import Area, Entity, Home, home_from, load_home
from appliance.intents.spoken import spoken_forms


def test_reads_areas_as_text_and_as_table(tmp_path: Path) -> None:
    file = tmp_path / "home.json"
    tree = {
        "area": "Kitchen",
        "areas": ["Office", {"name": "Attic", "aliases": ["Loft"]}],
        "entities": [{"name": "  Bed   Light ", "domain": "light", "brightness": True, "area": "Den"}],
    }
    file.write_text(json.dumps(tree))
    home = load_home(file)
    assert home.areas == (Area("Office"), Area("Attic", ("Loft",)), Area("Kitchen"), Area("Den"))
    assert home.entities == (Entity("Bed Light", "light", area="Den", attributes={"brightness": True}),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "home.json:1"),
        ("[]", "object"),
        ('{"areas": "Kitchen"}', "areas is a list"),
        ('{"areas": [""]}', "areas[0]"),
        ('{"entities": [{"domain": "light"}]}', "entities[0]"),
        ('{"entities": [{"name": "x"}]}', "domain"),
        ('{"entities": ["x"]}', "entities[0]"),
        ('{"entities": [{"name": 3, "domain": "light"}]}', "a name is a text"),
    ],
)
def test_wrong_home_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "home.json"
    file.write_text(text)
    with pytest.raises(GrammarError) as caught:
        load_home(file)
    assert said in caught.value.message and "\n" not in caught.value.message


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GrammarError, match="cannot be read"):
        load_home(tmp_path / "none.json")


def test_empty_home_is_fine() -> None:
    assert home_from({}) == Home()


@pytest.mark.parametrize(
    ("name", "language", "forms"),
    [
        ("TV 2 (old)", "en", ("TV 2 old", "tv two old", "t v two old")),
        ("TV", "en", ("TV", "t v")),
        ("EcoBee", "en", ("EcoBee", "eco bee")),
        ("Lampe 21", "de", ("Lampe 21", "lampe einundzwanzig")),
        ("Кухня", "ru", ("Кухня",)),
        ("キッチン", "ja", ("キッチン",)),
        ("{[<>]}", "en", ()),
        ("Lamp + Fan", "xx", ("Lamp Fan",)),
        ("O'Brien's", "en", ("O'Brien's", "obriens")),
    ],
)
def test_spoken_forms(name: str, language: str, forms: tuple[str, ...]) -> None:
    assert spoken_forms(name, language)[: len(forms)] == forms
    assert bool(spoken_forms(name, language)) == bool(forms)
