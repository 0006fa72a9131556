"""What owners get wrong: names and slots that cannot be spoken, doubled names. One sentence each; the rest works."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import GrammarError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.intents import foreign
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source
from appliance.settings.conversation import IntentSettings

SCRIPTS = Home(
    "Kitchen",
    (Area("Kitchen"), Area("Кухня")),
    (Entity("Лампа", "light"), Entity("ライト", "light"), Entity("🔥🔥", "light"), Entity("Café Lamp", "light")),
)


def made(home: Home, language: str = "en", sentences: tuple[Path, ...] = ()) -> tuple[Interpreter, Walker, list[str]]:
    problems: list[GrammarError] = []
    source = grammar_source(home, language, IntentSettings(sentences=sentences), problems)
    walker = Walker(compile_grammar(source).graph)
    return Interpreter(source, home), walker, [problem.message for problem in problems]


def test_names_in_other_scripts_are_typed_only_with_one_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "PROGRAM", "no-such-program")
    meant, walker, problems = made(SCRIPTS)
    for name in ("Лампа", "ライト", "🔥🔥", "Café Lamp"):
        meaning = meant.interpret(f"turn on {name}")
        assert meaning is not None and meaning.slots.get("name") == name, name
    assert walker.accepts("turn on café lamp") and walker.accepts("turn on cafe lamp")
    assert not any(walker.accepts(f"turn on {name}") for name in ("лампа", "ライト", "lampa"))
    assert len(problems) == 1 and all(name in problems[0] for name in ("'Лампа'", "'ライト'", "'🔥🔥'", "'Кухня'"))
    assert "Café" not in problems[0]


def test_a_language_speaks_its_own_script() -> None:
    _, walker, problems = made(Home(None, (), (Entity("Лампа", "light"),)), "ru")
    assert problems == []
    assert walker.accepts("включи лампа") or walker.accepts("включить лампа")


def test_two_devices_of_one_name_in_one_room_are_reported() -> None:
    home = Home("Office", (), (Entity("Lamp", "light", area="Office"), Entity("Lamp", "light", area="Office")))
    meant, _, problems = made(home)
    assert len(problems) == 1 and "'Lamp'" in problems[0] and "one room" in problems[0]
    meaning = meant.interpret("turn on the lamp")
    assert meaning is not None and meaning.slots["name"] == "Lamp" and meaning.question is None


def test_slots_without_words_are_reported_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "language: en\nintents:\n  Mode:\n    data:\n      - sentences:\n          - set the {sign} mode\n"
        '          - feed the cat\nlists:\n  sign:\n    values: ["☂☂", "☀"]\n'
    )
    meant, walker, problems = made(Home(), sentences=(file,))
    assert problems == [
        f"{file}:6: 'set the {{sign}} mode' cannot be spoken, only typed: list 'sign' holds no word that can be said."
    ]
    assert walker.accepts("feed the cat") and not walker.accepts("set the mode")
    meaning = meant.interpret("set the ☂☂ mode")
    assert meaning is not None and meaning.intent == "Mode"


def test_an_empty_home_still_has_the_device_itself() -> None:
    _, walker, problems = made(Home())
    assert problems == []
    assert walker.accepts("set a timer for five minutes")
    assert not walker.accepts("turn on the kitchen light")
