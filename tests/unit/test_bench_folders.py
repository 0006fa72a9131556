"""In: folders with labels. Out: the sets that are played, and how many of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.bench.folders import labelled_sets
from appliance.bench.parts import PARTS, chosen
from appliance.errors import UsageError
from appliance.settings import load


def made(folder: Path, count: int, *others: str) -> None:
    folder.mkdir()
    table = {f"{number:03}.flac": {"text": "x", "intent": "X", "slots": {}} for number in range(count)}
    (folder / "labels.json").write_text(json.dumps(table))
    for name in others:
        (folder / name).write_text("{}")


def test_every_folder_with_labels_is_a_set_with_its_own_rooms_and_sentences(tmp_path: Path) -> None:
    made(tmp_path / "home", 3, "home.json")
    made(tmp_path / "coffee", 4, "sentences.yaml")
    (tmp_path / "notes").mkdir()
    coffee, home = labelled_sets(tmp_path, None)
    assert (coffee.name, len(coffee.labels), coffee.home) == ("coffee", 4, None)
    assert coffee.sentences == (tmp_path / "coffee" / "sentences.yaml",)
    assert (home.name, len(home.labels), home.home) == ("home", 3, tmp_path / "home" / "home.json")
    assert [each.name for each in labelled_sets(tmp_path / "home", None)] == ["home"]


def test_the_largest_sets_give_way_to_the_limit(tmp_path: Path) -> None:
    for name, count in (("a", 20), ("b", 3), ("c", 8)):
        made(tmp_path / name, count)
    assert {each.name: len(each.labels) for each in labelled_sets(tmp_path, 15)} == {"a": 6, "b": 3, "c": 6}
    assert sum(len(each.labels) for each in labelled_sets(tmp_path, 500)) == 31
    assert [each.name for each in labelled_sets(tmp_path, 1)] == ["a"]


def test_a_folder_without_any_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"labels\.json"):
        labelled_sets(tmp_path, None)


def test_each_part_can_be_switched_off_and_changes_the_settings() -> None:
    settings = load(None, (), {})[0]
    assert chosen(("all",)) == tuple(PARTS)
    assert chosen(("flush", "flush")) == ("flush",)
    for name, off in PARTS.items():
        assert off(settings) != settings, name
