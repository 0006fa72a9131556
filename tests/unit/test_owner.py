"""The owner's sentences: what is sound stays active, what is wrong is named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import GrammarError
from appliance.intents.home import Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source
from appliance.settings.conversation import IntentSettings

GOOD = """language: en
intents:
  FeedCat:
    data:
      - sentences:
          - "feed the {animal}"
lists:
  animal:
    values: [cat, dog]
"""


def read(tmp_path: Path, text: str, builtin: bool = True) -> tuple[Interpreter, list[str]]:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    problems: list[GrammarError] = []
    settings = IntentSettings(sentences=(file,), builtin=builtin)
    source = grammar_source(Home(), "en", settings, problems)
    return Interpreter(source, Home()), [problem.message for problem in problems]


def intent(meant: Interpreter, text: str) -> str | None:
    meaning = meant.interpret(text)
    return meaning.intent if meaning is not None else None


def test_good_sentences_stand_beside_the_builtin(tmp_path: Path) -> None:
    meant, problems = read(tmp_path, GOOD)
    assert problems == []
    meaning = meant.interpret("please feed the dog")
    assert meaning is not None and meaning.intent == "FeedCat" and meaning.slots == {"animal": "dog"} and meaning.own
    assert intent(meant, "what time is it") == "HassGetCurrentTime"


def test_only_the_owners(tmp_path: Path) -> None:
    meant, _ = read(tmp_path, GOOD, builtin=False)
    assert intent(meant, "feed the cat") == "FeedCat" and intent(meant, "what time is it") is None


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        ('          - "walk the (dog"', 7, "no sentence"),
        ('          - "walk the {horse}"', 7, "{horse}"),
        ('          - "walk the <rule>"', 7, "<rule>"),
        ("          - 12", None, "text"),
    ],
)
def test_one_wrong_sentence_leaves_the_rest(tmp_path: Path, wrong: str, line: int | None, said: str) -> None:
    text = GOOD.replace('          - "feed the {animal}"', f'          - "feed the {{animal}}"\n{wrong}')
    meant, problems = read(tmp_path, text)
    assert len(problems) == 1 and said in problems[0] and "mine.yaml" in problems[0]
    assert line is None or f"mine.yaml:{line}:" in problems[0]
    assert intent(meant, "feed the cat") == "FeedCat"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("intents: [\n", "mine.yaml:2"),
        ("- a\n- b\n", "mine.yaml:1"),
        ("intents: 3\n", "must be a table"),
        ("intents:\n  X: {}\n", "mine.yaml:2"),
        ("intents:\n  X:\n    data:\n      - slots: {a: 1}\n", "sentences"),
        ("colours: {}\nintents: {}\n", "mine.yaml:1: 'colours'"),
        ("lists:\n  a: {}\n", "list 'a'"),
        ("lists:\n  a:\n    range: {from: 9, to: 1}\n", "range"),
        ("lists:\n  a:\n    values: [1]\n", "quotes"),
    ],
)
def test_a_wrong_file_is_named_and_the_builtin_stay(tmp_path: Path, text: str, said: str) -> None:
    meant, problems = read(tmp_path, text)
    assert len(problems) == 1 and said in problems[0]
    assert intent(meant, "what time is it") == "HassGetCurrentTime"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    problems: list[GrammarError] = []
    grammar_source(Home(), "en", IntentSettings(sentences=(tmp_path / "none.yaml",)), problems)
    assert "none.yaml" in problems[0].message


def test_unknown_language_is_refused() -> None:
    with pytest.raises(GrammarError, match="tlh"):
        grammar_source(Home(), "tlh")


ANSWERED = """language: en
intents:
  FeedCat:
    data:
      - sentences: ["feed the {animal}", "feed it"]
  HassTurnOn:
    data:
      - sentences: ["light it"]
lists:
  animal:
    values: [cat, dog]
responses:
  intents:
    FeedCat:
      default: "I fed the {{ slots.animal }} already."
    HassTurnOn:
      default: "no"
    Nobody:
      default: "no"
"""


def test_an_owners_answer_is_said_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(ANSWERED)
    problems: list[GrammarError] = []
    source = grammar_source(Home(), "en", IntentSettings(sentences=(file,)), problems)
    assert source.answers == {"FeedCat": "I fed the {animal} already."}
    assert [line.rsplit(": ", 1)[1] for line in map(str, problems)] == [
        "the response 'HassTurnOn' belongs to no intent of your own in this file.",
        "the response 'Nobody' belongs to no intent of your own in this file.",
    ]


@pytest.mark.parametrize("text", ["{{ now() }}", "{% if x %}", "{film}", "", "x" * 501])
def test_an_answer_that_is_no_answer_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(ANSWERED.replace("I fed the {{ slots.animal }} already.", text))
    problems: list[GrammarError] = []
    source = grammar_source(Home(), "en", IntentSettings(sentences=(file,)), problems)
    assert not source.answers and any("'FeedCat'" in str(problem) for problem in problems)


def test_the_documented_file_is_sound(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "own-sentences.md").read_text().split("```")[1].removeprefix("yaml\n")
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    problems: list[GrammarError] = []
    source = grammar_source(Home(), "en", IntentSettings(sentences=(file,)), problems)
    assert not problems and set(source.answers) == {"MovieTime", "WhoFeedsTheCat"}
