"""In: a settings file and what is wrong with it. Out: one sentence a fault, with file, line and the likely name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")


def lines_of(text: str) -> dict[str, int]:
    """'section.field' and 'section' → the line of a TOML text that sets it, counted from 1. Inline tables count as one field.

    A line within a multi-line value may look like a key: then a wrong line is told of a name that nobody asks for.
    """
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _plain(match[1])
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            name = _plain(match[1])
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


def line_of(name: str, lines: Mapping[str, int]) -> int | None:
    """The line that sets `name`, or the nearest one above it that holds it."""
    while name:
        if name in lines:
            return lines[name]
        name = name.rpartition(".")[0]
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' Did you mean X?', or nothing where no known name is like it."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f" Did you mean {near[0]}?" if near else ""


def sentence(fault: Mapping[str, Any], where: str, known: Iterable[str]) -> str:
    """One of pydantic's errors, for people; `where` says who set it."""
    name = ".".join(str(part) for part in fault["loc"])
    place = f" ({where})" if where else ""
    if fault["type"] == "extra_forbidden":
        return f"{name}{place}: there is no such setting.{did_you_mean(name, known)}"
    return f"{name}{place}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {fault['input']!r}."


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
