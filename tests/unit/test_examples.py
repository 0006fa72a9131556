"""In: every command in README's code blocks and in --help. Out: the command line takes it as it is written there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from appliance.cli.main import COMMANDS, parser
from tests.shared import ROOT

PAGES = ("README.md", "models/README.md")
PROGRAM = re.compile(r"^(?:sudo )?(?:\.venv/bin/)?appliance (.+)$")


def written(page: Path) -> list[str]:
    """The words behind `appliance` of every line in a code block, comments left out."""
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [match[1] for line in lines if (match := PROGRAM.match(line))]


EXAMPLES = [(page, words) for page in PAGES for words in written(ROOT / page)]


@pytest.mark.parametrize(("page", "words"), EXAMPLES)
def test_an_example_of_a_page_is_taken(page: str, words: str) -> None:
    given = shlex.split(words)
    args = parser(next(word for word in given if word in COMMANDS)).parse_args(given)
    assert args.command in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_help_is_taken(command: str) -> None:
    top = parser(command)
    choice = top._subparsers._group_actions[0].choices[command]  # type: ignore[union-attr, index, call-overload]
    epilogue = choice.epilog.partition("example:\n")[2]
    assert epilogue.strip().startswith(f"appliance {command}")
    assert top.parse_args(shlex.split(epilogue.strip())[1:]).command == command


def test_pages_have_examples_and_every_target_they_name() -> None:
    assert len(EXAMPLES) > 8
    targets = set(re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    made = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert targets and targets <= made
