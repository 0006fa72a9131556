"""In: the settings' schema. Out: every setting in words, as a commented TOML file or as a page of the documentation."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.settings import Settings

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Described:
    """One setting."""

    section: str
    """As in the file's table: stt, telemetry.mqtt …"""
    key: str
    values: str
    """What it takes, in words."""
    default: str | None
    """As TOML; None where there is none, or where the machine decides."""
    description: str


def described() -> Iterator[Described]:
    """Every setting, in the order of the schema."""
    for section, field in Settings.model_fields.items():
        yield from _section(section, field.annotation)


def commented_toml(values: Mapping[str, Any] | None = None) -> str:
    """A settings file in which every setting stands as a comment, but for `values` ('section.field' → value)."""
    values = values or {}
    lines = ["# Settings of the voice appliance. What is commented out stands at its default.",
             "# `appliance config check` judges this file, `appliance config schema SECTION` tells more."]  # fmt: skip
    section = ""
    for one in described():
        if one.section != section:
            section = one.section
            lines += ["", f"[{section}]"]
        lines += textwrap.wrap(f"{one.description} {one.values}", WIDTH, initial_indent="# ", subsequent_indent="# ")
        name = f"{one.section}.{one.key}"
        if values.get(name) is not None:
            lines.append(f"{one.key} = {toml_value(values[name])}")
        else:
            lines.append(f"#{one.key} = {one.default or ''}".rstrip())
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """The tables of docs/configuration.md."""
    lines: list[str] = []
    section = ""
    for one in described():
        if one.section != section:
            section = one.section
            lines += ["", f"## {section}", "", "| setting | takes | default | meaning |", "|---|---|---|---|"]
        default = f"`{one.default}`" if one.default is not None else "–"
        cells = (f"`{one.key}`", one.values.rstrip("."), default, one.description)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML writes it. Floats keep their point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Path | str):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(toml_value(item) for item in value) + "]"


PAGE = """# Settings

One TOML file, `/etc/appliance/appliance.toml`; over it the environment (`APPLIANCE_SECTION__FIELD`), over that
`--set section.field=value`. `appliance config init FILE` writes this list as a commented file, `appliance config check`
judges what you made of it, `appliance config show` tells every value in force and where it came from.

This page is made from the program: `python -m appliance.settings.describe > docs/configuration.md`. A dash: no default, or
one that this machine decides.
"""


def _section(section: str, model: Any) -> Iterator[Described]:
    schema = model.model_json_schema()
    nested = []
    for key, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            nested.append((f"{section}.{key}", field.annotation))
            continue
        facts = schema["properties"][key]
        default = None if field.default_factory or field.default is None else toml_value(field.default)
        if field.default_factory is dict:
            default = "{}"
        yield Described(section, key, f"{_values(facts)}.", default, field.description or "")
    for name, annotation in nested:
        yield from _section(name, annotation)


def _values(facts: Mapping[str, Any]) -> str:
    """'A number, 0.1 to 2.', say."""
    if "anyOf" in facts:
        (some,) = (one for one in facts["anyOf"] if one.get("type") != "null")
        return f"{_values(some)}, or nothing"
    if "enum" in facts:
        return "One of " + ", ".join(f"'{one}'" for one in facts["enum"])
    kind = {"integer": "A whole number", "number": "A number", "boolean": "true or false", "array": "A list",
            "object": "A table"}.get(facts.get("type", ""), "A text")  # fmt: skip
    if facts.get("format") == "path":
        kind = "A path"
    least, most = facts.get("minimum"), facts.get("maximum")
    return kind if least is None or most is None else f"{kind}, {least:g} to {most:g}"


if __name__ == "__main__":
    sys.stdout.write(PAGE + markdown())
