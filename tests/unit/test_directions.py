"""In: the imports of the package. Out: the house stands as designed: arrows go down only."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import appliance

PACKAGE = Path(appliance.__file__).parent

FLOORS = (
    {"__main__"},
    {"cli"},
    {"hub"},
    {"bench"},
    {"sim"},
    {"replay"},
    {"app"},
    {"api"},
    {"conversation", "supervisor", "panel", "telemetry", "catalogue", "hardware"},
    {"intents", "actions"},
    {"wire", "grammar", "update"},
    {"events", "settings", "errors", "backoff"},
    {"files"},
)
"""From the roof to the ground. A room may import its own floor and those below."""

SIDEWAYS = {("conversation", "supervisor"), ("actions", "intents"), ("events", "errors"), ("settings", "errors")}
"""Arrows within a floor that are meant; everything else on one floor is strangers."""

LEAVES = {"wire", "grammar", "events", "settings", "errors", "files", "backoff"}
"""All that an engine may stand on."""


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "appliance" and len(parts) > 1 else None


@cache
def _arrows() -> set[tuple[str, str, str]]:
    """(importing room, imported room, file) for every import between rooms; those for type checkers do not count."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        here = file.relative_to(PACKAGE)
        room = here.parts[0].removesuffix(".py")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for_checkers = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if node in for_checkers:
                continue
            modules = []
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module] if node.module != "appliance" else [f"appliance.{a.name}" for a in node.names]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            for module in modules:
                target = _room(module)
                if target and target != room and not target.startswith("__version"):
                    found.add((room, target, str(here)))
    return found


def _floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_has_a_floor() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    rooms -= {"__init__", "__pycache__", "engines"}
    assert {room for room in rooms if not any(room in floor for floor in FLOORS)} == set()


def test_arrows_go_down() -> None:
    wrong = []
    for room, target, file in sorted(_arrows()):
        if "engines" in (room, target):
            continue
        if (room, target) in SIDEWAYS:
            continue
        if _floor(target) <= _floor(room):
            wrong.append(f"{file}: {room} → {target}")
    assert wrong == []


def test_engines_stand_on_leaves_only() -> None:
    assert [a for a in sorted(_arrows()) if a[0] == "engines" and a[1] not in LEAVES] == []


def test_nobody_imports_engines() -> None:
    assert [a for a in sorted(_arrows()) if a[1] == "engines"] == []


def test_watchers_know_events_only() -> None:
    allowed = LEAVES - {"wire", "grammar"}
    assert [a for a in sorted(_arrows()) if a[0] in ("panel", "telemetry") and a[1] not in allowed] == []


HUB_MAY_IMPORT = {"telemetry", "panel", "settings", "events", "errors"}
"""The hub is another program on another machine: it shares messages, budgets,
topics and the patterns of the LEDs with the device, no more."""


def test_the_hub_knows_messages_and_budgets_only() -> None:
    assert [a for a in sorted(_arrows()) if a[0] == "hub" and a[1] not in HUB_MAY_IMPORT] == []


def test_only_the_command_line_knows_the_hub() -> None:
    assert [a for a in sorted(_arrows()) if a[1] == "hub" and a[0] != "cli"] == []


def test_a_device_needs_no_extra_of_the_hub() -> None:
    """Its libraries stand in the extra `hub`: outside appliance/hub nobody imports them."""
    extras = {"starlette", "uvicorn", "msgspec", "argon2", "jinja2"}
    found = []
    for file in PACKAGE.rglob("*.py"):
        here = file.relative_to(PACKAGE)
        if here.parts[0] != "hub":
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                found += [f"{here}: {name}" for name in names if name.split(".")[0] in extras]
    assert found == []
