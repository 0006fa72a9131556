"""Show the effective settings with their origin, check them, or print their JSON schema."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from appliance.settings import Settings, load

EXAMPLE = "appliance config show stt"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show", "check", "schema"), help="what to do")
    parser.add_argument("section", nargs="?", choices=tuple(Settings.model_fields), help="show this section only")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    if args.action == "schema":
        print(json.dumps(Settings.model_json_schema(), indent=2))
        return 0
    settings, origins = load(args.config, args.assignments)
    if args.action == "check":
        print(json.dumps({"valid": True, "set": origins}) if args.json else f"valid; {len(origins)} settings are set")
        return 0
    rows = [row for row in _rows(settings, origins) if args.section in (None, row["name"].split(".")[0])]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows)
    return 0


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


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table("setting", "value", "origin", "meaning")
    for row in rows:
        value = "-" if row["value"] is None else json.dumps(row["value"], ensure_ascii=False)
        style = None if row["origin"] == "default" else "bold"
        table.add_row(row["name"], value, row["origin"], row["description"] or "", style=style)
    Console().print(table)
