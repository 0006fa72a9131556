"""Show the effective settings with their origin, check them, print their schema, or write a commented settings file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from appliance.cli.checks import Check, check_settings
from appliance.cli.table import is_narrow, table
from appliance.errors import SettingsError, UsageError
from appliance.settings import Settings, load
from appliance.settings.describe import commented_toml

EXAMPLE = "appliance config init appliance.toml"
ACTIONS = ("show", "check", "schema", "init")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("what", nargs="?", metavar="SECTION|FILE",
                        help="show, schema: this section alone; init: file to write, else it is printed")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    if args.action == "init":
        return _init(args.what)
    if args.action in ("show", "schema") and args.what not in (None, *Settings.model_fields):
        raise UsageError(
            "no-section", f"There is no section '{args.what}'; there are {', '.join(Settings.model_fields)}."
        )
    if args.action == "schema":
        print(json.dumps(_schema(args.what), indent=2))
        return 0
    settings, origins = load(args.config, args.assignments)
    if args.action == "check":
        return _check(settings, origins, args.json)
    rows = [row for row in _rows(settings, origins) if args.what in (None, row["name"].split(".")[0])]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows, explained=args.what is not None)
    return 0


def _schema(section: str | None) -> dict[str, Any]:
    if section is None:
        return Settings.model_json_schema()
    model = Settings.model_fields[section].annotation
    assert isinstance(model, type) and issubclass(model, BaseModel)
    return model.model_json_schema()


def _init(name: str | None) -> int:
    """The commented example; never over a file that is there."""
    if name is None:
        print(commented_toml(), end="")
        return 0
    write_new(Path(name), commented_toml())
    print(f"{name} is written; every setting in it stands at its default.")
    return 0


def write_new(file: Path, text: str) -> None:
    """Writes a file that was not there. Raises SettingsError otherwise, and where it cannot be written."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise SettingsError("file-there", f"{file} is there already; remove it or name another file.") from error
    except OSError as error:
        raise SettingsError("unwritable", f"{file} cannot be written: {error.strerror}.") from error


def _check(settings: Settings, origins: dict[str, str], as_json: bool) -> int:
    """Values alone can be valid and yet not fit this machine: language, wake words, models, files, channels."""
    wrong: list[Check] = [check for check in check_settings(settings) if check.verdict != "ok"]
    valid = not any(check.verdict == "wrong" for check in wrong)
    if as_json:
        faults = [{"check": check.name, "verdict": check.verdict, "found": check.found} for check in wrong]
        print(json.dumps({"valid": valid, "set": origins, "faults": faults}))
        return 0 if valid else 2
    for check in wrong:
        print(f"appliance: {check.name}: {check.found} → {check.remedy}", file=sys.stderr)
    if valid:
        print(f"valid; {len(origins)} settings are set")
    return 0 if valid else 2


def _rows(settings: Settings, origins: dict[str, str]) -> Iterator[dict[str, Any]]:
    for section in Settings.model_fields:
        yield from _section(section, getattr(settings, section), origins)


def _section(prefix: str, section: BaseModel, origins: dict[str, str]) -> Iterator[dict[str, Any]]:
    values = section.model_dump(mode="json")
    for key, field in type(section).model_fields.items():
        name = f"{prefix}.{key}"
        value = getattr(section, key)
        if isinstance(value, BaseModel):
            yield from _section(name, value, origins)
            continue
        origin = origins.get(name, "default")
        yield {"name": name, "value": values[key], "origin": origin, "description": field.description}


def _print(rows: list[dict[str, Any]], explained: bool) -> None:
    """A wide terminal has room for the meanings; a narrow one gets them with a section."""
    console = Console()
    wide = not is_narrow(console)
    made = table("setting", "value", "origin", *(("meaning",) if wide else ()))
    for row in rows:
        value = "-" if row["value"] is None else json.dumps(row["value"], ensure_ascii=False)
        style = None if row["origin"] == "default" else "bold"
        name = Text(row["name"])
        if explained and not wide:
            name.append(f"\n  {row['description']}", "dim")
        made.add_row(name, value, row["origin"], *((row["description"] or "",) if wide else ()), style=style)
    console.print(made)
    if not explained and not wide:
        console.print("`appliance config show SECTION` tells what each of a section means.")
