"""In: modules and the unit tests that guard them. Out: build/mutants.json: how many one-line mutations those tests kill.

Made here because cosmic-ray and mutmut start a fresh pytest for every mutant: with this package's imports some 3 s each.
Here the tests are collected once; a mutant is a fork in which one function's code object is exchanged, and which runs the
tests that call that function, the quickest first, until one fails. So only the bodies of functions are mutated, and `is`
comparisons of classes and enumerations stay true, whatever the mutant.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import functools
import importlib
import json
import os
import random
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

UNIT = "tests/unit"
_CONVERSATION = ("test_conversation", "test_loudspeaker", "test_machine", "test_search_thread")
_HEARING = ("test_hearing_repair",)
_CHILD = ("test_child", "test_restart")
_WIRE = ("test_wire_messages", "test_frame")
_TELEMETRY = ("test_telemetry_parts", "test_backoff")
_SETTINGS = ("test_settings_faults",)
_PANEL = ("test_panel_gestures", "test_panel_story")
GUARDS: dict[str, tuple[str, ...]] = {
    "appliance.conversation.machine": _CONVERSATION,
    "appliance.conversation.loudspeaker": _CONVERSATION,
    "appliance.conversation.conversation": _CONVERSATION,
    "appliance.conversation.turn": _CONVERSATION,
    "appliance.conversation.reply": _CONVERSATION,
    "appliance.conversation.listener": _CONVERSATION,
    "appliance.conversation.prepare": _CONVERSATION,
    "appliance.conversation.search_thread": _CONVERSATION,
    "appliance.supervisor.contained": ("test_contained",),
    "appliance.backoff": ("test_contained",),
    "appliance.supervisor.child": _CHILD,
    "appliance.supervisor.restart": _CHILD,
    "appliance.supervisor.hearing_repair": _HEARING,
    "appliance.conversation.clients.wake_progress": _HEARING,
    "appliance.conversation.clients.stt": ("test_stt_client",),
    "appliance.conversation.clients.tts": ("test_tts_client",),
    "appliance.conversation.endpoint": ("test_endpoint",),
    "appliance.wire.fields": _WIRE,
    "appliance.wire.message": _WIRE,
    "appliance.wire.frame": _WIRE,
    "appliance.intents.budget": ("test_search_budget",),
    "appliance.conversation.meanings": ("test_search_budget",),
    "appliance.intents.home": ("test_home",),
    "appliance.telemetry.mqtt.outbox": _TELEMETRY,
    "appliance.telemetry.mqtt.backoff": _TELEMETRY,
    "appliance.telemetry.metrics.alerts": _TELEMETRY,
    "appliance.telemetry.metrics.windows": _TELEMETRY,
    "appliance.settings": _SETTINGS,
    "appliance.settings.faults": _SETTINGS,
    "appliance.panel.gestures": _PANEL,
    "appliance.panel.story": _PANEL,
}
"""Module → the unit tests that are to notice when a line of it is wrong."""
MOST = 40
"""Mutants tried of one module, drawn evenly with a fixed seed."""
SLACK = 5.0
"""A mutant may take so many times as long as the tests do without one, and LEAST_S at the least: then it counts as killed."""
LEAST_S = 10.0
BASELINE_S = 3600.0

Change = Callable[[ast.AST], Iterator[ast.AST]]

COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function."""

    function: str
    """As `co_qualname` says it."""
    line: int
    what: str
    code: CodeType


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may be put in the place of `node`, each with a name."""
    match node:
        case ast.Compare(ops=[op], left=left, comparators=[right]):
            for other in COMPARE.get(type(op), ()):
                yield f"{type(op).__name__} → {other.__name__}", ast.Compare(left, [other()], [right])
        case ast.BoolOp(op=op, values=values):
            other_op: ast.boolop = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} → {type(other_op).__name__}", ast.BoolOp(other_op, values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not dropped", operand
        case ast.BinOp(op=op, left=left, right=right) if type(op) in ARITHMETIC:
            yield f"{type(op).__name__} exchanged", ast.BinOp(left, ARITHMETIC[type(op)](), right)
        case ast.Constant(value=bool() as value):
            yield f"{value} → {not value}", ast.Constant(not value)
        case ast.Constant(value=int() | float() as number):
            yield f"{number} → {number + 1}", ast.Constant(number + 1)
        case ast.If(test=test, body=body, orelse=orelse):
            yield "if: never", ast.If(ast.Constant(False), body, orelse) if not isinstance(test, ast.Constant) else node
            yield "if: always", ast.If(ast.Constant(True), body, orelse)
        case ast.Expr(value=ast.Call() | ast.Await()) if not _only_tells(node):
            yield "call dropped", ast.Pass()
        case ast.Break():
            yield "break → continue", ast.Continue()
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield "return None", ast.Return(ast.Constant(None))


def _only_tells(node: ast.AST) -> bool:
    """A line of the log: dropping it changes nothing that a test should hold."""
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(("log.", "self._log"))


def mutants(source: str, name: str) -> list[Mutant]:
    """Every mutant of the functions of a module."""
    tree = ast.parse(source)
    made: list[Mutant] = []
    for parent, field, place in list(_places(tree)):
        held = getattr(parent, field)
        node = held if place is None else held[place]
        for what, other in list(changes(node)):
            changed = ast.fix_missing_locations(ast.copy_location(copy.copy(other), node))
            _put(parent, field, place, changed)
            try:
                made += _differing(source, ast.unparse(tree), node, what, name)
            except (SyntaxError, ValueError):
                pass
            finally:
                _put(parent, field, place, node)
    return made


def _put(parent: ast.AST, field: str, place: int | None, node: ast.AST) -> None:
    if place is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Every place inside a function's body, none inside annotations, decorators, defaults or calls of the log."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for index in range(len(function.body)):
            yield from _below(function, "body", index)


def _below(parent: ast.AST, field: str, place: int | None) -> Iterator[tuple[ast.AST, str, int | None]]:
    held = getattr(parent, field)
    node = held if place is None else held[place]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Raise) or _only_tells(node):
        return  # a nested function comes by itself; the words of an error are for people
    yield parent, field, place
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        if isinstance(value, ast.AST):
            yield from _below(node, name, None)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _below(node, name, index)


@functools.cache
def _codes(source: str, name: str) -> dict[str, CodeType]:
    """Qualified name → code of every function of a module, normalised by `ast.unparse`."""
    return {code.co_qualname: code for code in _inner(compile(source, name, "exec"))}


def _inner(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner(constant)


def _differing(source: str, changed: str, node: ast.AST, what: str, name: str) -> Iterator[Mutant]:
    """The outermost function whose code a change altered."""
    before = _codes(ast.unparse(ast.parse(source)), name)
    for qualified, code in _codes_of(changed, name):
        if "<locals>" not in qualified and qualified in before and code != before[qualified]:
            yield Mutant(qualified, getattr(node, "lineno", 0), what, code)


def _codes_of(changed: str, name: str) -> list[tuple[str, CodeType]]:
    return [(code.co_qualname, code) for code in _inner(compile(changed, name, "exec"))]


def functions(module: ModuleType) -> dict[str, FunctionType]:
    """Qualified name → the living function, through classes, properties and decorators."""
    found: dict[str, FunctionType] = {}

    def take(value: Any) -> None:
        while hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        if isinstance(value, property):
            for half in (value.fget, value.fset):
                if half is not None:
                    take(half)
        elif isinstance(value, FunctionType) and value.__module__ == module.__name__:
            found[value.__code__.co_qualname] = value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for inner in vars(value).values():
                take(inner)

    for value in list(vars(module).values()):
        take(value)
    return found


class Examiner:
    """A pytest plugin that takes the place of its loop: the tests are collected once, every mutant is a fork."""

    def __init__(self, names: tuple[str, ...], most: int, seed: int) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self._names, self._most, self._seed = names, most, seed
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for name in self._names:
            module = importlib.import_module(name)
            assert module.__file__ is not None
            living = functions(module)
            begun_s = time.monotonic()
            callers = self._callers(session.items, module.__file__)
            limit_s = max(LEAST_S, SLACK * (time.monotonic() - begun_s))
            chosen = chosen_of(module, living, self._most, self._seed)
            survivors = [
                {"where": f"{Path(module.__file__).name}:{mutant.line} {mutant.function}", "what": mutant.what}
                for mutant in chosen
                if not self._killed(living[mutant.function], mutant, callers.get(mutant.function, []), limit_s)
            ]
            self.rows[name] = {
                "mutants": len(chosen), "killed": len(chosen) - len(survivors), "survivors": survivors,
            }  # fmt: skip
            tell(name, self.rows[name])
        return True

    def _run(self, items: list[pytest.Item]) -> pytest.Item | None:
        """The first item that fails, None where all pass."""
        for item, after in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if self._failed:
                return item
        return None

    def _callers(self, items: list[pytest.Item], file: str) -> dict[str, list[pytest.Item]]:
        """Function → the tests that call it, the quickest first. Raises RuntimeError where a test fails as it is."""

        def look() -> Any:
            called: dict[str, list[tuple[float, int]]] = {}
            for number, item in enumerate(items):
                seen: set[str] = set()

                def note(frame: Any, event: str, argument: Any, seen: set[str] = seen) -> None:
                    if event == "call" and frame.f_code.co_filename == file:
                        seen.add(frame.f_code.co_qualname)

                begun_s = time.monotonic()
                sys.setprofile(note)
                threading.setprofile(note)
                failed = self._run([item])
                sys.setprofile(None)
                threading.setprofile(None)
                if failed is not None:
                    return failed.nodeid
                for function in seen:
                    called.setdefault(function, []).append((time.monotonic() - begun_s, number))
            return {function: [number for _, number in sorted(numbers)] for function, numbers in called.items()}

        found = in_a_fork(look, BASELINE_S)
        if not isinstance(found, dict):
            raise RuntimeError(f"without any mutant: {found} fails")
        return {function: [items[number] for number in numbers] for function, numbers in found.items()}

    def _killed(self, function: FunctionType, mutant: Mutant, items: list[pytest.Item], limit_s: float) -> bool:
        """Whether a test notices, in a fork of its own."""

        def look() -> Any:
            function.__code__ = mutant.code
            return self._run(items) is None

        return bool(items) and in_a_fork(look, limit_s) is not True


def in_a_fork(look: Callable[[], Any], limit_s: float) -> Any:
    """What `look` gives, through JSON; None where the fork failed or took longer than `limit_s`."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        with contextlib.suppress(BaseException):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            os.write(writing, json.dumps(look()).encode())
        os._exit(0)
    os.close(writing)
    end_s = time.monotonic() + limit_s
    text = b""
    while (left_s := end_s - time.monotonic()) > 0 and select.select([reading], [], [], left_s)[0]:
        if not (piece := os.read(reading, 65536)):
            break
        text += piece
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return json.loads(text) if text else None


def chosen_of(module: ModuleType, living: dict[str, FunctionType], most: int, seed: int) -> list[Mutant]:
    """`most` mutants of a module, drawn evenly."""
    assert module.__file__ is not None
    source = Path(module.__file__).read_text(encoding="utf-8")
    fitting = [
        mutant
        for mutant in mutants(source, module.__file__)
        if mutant.function in living and mutant.code.co_freevars == living[mutant.function].__code__.co_freevars
    ]
    drawn = random.Random(seed).sample(fitting, min(most, len(fitting)))
    return sorted(drawn, key=lambda mutant: mutant.line)


def tell(name: str, row: dict[str, Any]) -> None:
    print(f"{name}: {row['killed']} of {row['mutants']}", flush=True)
    for survivor in row["survivors"]:
        print(f"  {survivor['where']}: {survivor['what']}", flush=True)


def examine(names: tuple[str, ...], tests: tuple[str, ...], most: int, seed: int) -> dict[str, dict[str, Any]]:
    """Module → mutants, killed, survivors, of modules that the same tests guard."""
    examiner = Examiner(names, most, seed)
    files = [f"{UNIT}/{test}.py" for test in tests]
    pytest.main(
        ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:rerunfailures", "-p", "no:timeout", *files], [examiner]
    )
    return examiner.rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of names; all without any")
    parser.add_argument("--most", type=int, default=MOST, help="mutants of one module")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/mutants.json"))
    parser.add_argument("--least", type=float, default=0.0, help="share killed below which the exit code is 1")
    args = parser.parse_args()
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, tests in GUARDS.items():
        if not args.modules or any(part in name for part in args.modules):
            groups.setdefault(tests, []).append(name)
    table: dict[str, dict[str, Any]] = {}
    for tests, names in groups.items():
        table |= examine(tuple(names), tests, args.most, args.seed)
        args.out.parent.mkdir(exist_ok=True)
        args.out.write_text(json.dumps({"seed": args.seed, "modules": table}, indent=1), encoding="utf-8")
    total, dead = sum(row["mutants"] for row in table.values()), sum(row["killed"] for row in table.values())
    print(f"{dead} of {total} killed ({dead / max(1, total):.1%})")
    return 0 if total and len(table) == sum(map(len, groups.values())) and dead / total >= args.least else 1


if __name__ == "__main__":
    sys.exit(main())
