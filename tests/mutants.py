"""In: modules and the unit tests that guard them. Out: build/mutants.json: how many one-line mutations those tests kill.

Made here because cosmic-ray and mutmut start a fresh pytest for every mutant: with this package's imports some 3 s each.
Here the tests are imported once; a mutant is a fork in which one function's code object is exchanged. So only the bodies
of functions are mutated, and `is` comparisons of classes and enumerations stay true, whatever the mutant.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import functools
import importlib
import io
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

UNIT = "tests/unit"
GUARDS: dict[str, tuple[str, ...]] = {
    "appliance.conversation.machine": ("test_machine",),
    "appliance.conversation.loudspeaker": ("test_loudspeaker",),
    "appliance.conversation.conversation": ("test_conversation",),
    "appliance.conversation.turn": ("test_conversation",),
    "appliance.conversation.reply": ("test_conversation",),
    "appliance.conversation.listener": ("test_conversation",),
    "appliance.conversation.prepare": ("test_conversation",),
    "appliance.conversation.endpoint": ("test_endpoint",),
    "appliance.conversation.meanings": ("test_meanings",),
    "appliance.supervisor.contained": ("test_contained",),
    "appliance.supervisor.restart": ("test_restart",),
    "appliance.supervisor.patience": ("test_patience",),
    "appliance.wire.frame": ("test_frame",),
    "appliance.wire.fields": ("test_frame",),
    "appliance.wire.message": ("test_frame",),
    "appliance.intents.budget": ("test_recognise",),
    "appliance.telemetry.mqtt.outbox": ("test_telemetry_parts",),
    "appliance.telemetry.mqtt.backoff": ("test_backoff",),
    "appliance.settings.base": ("test_bad_input", "test_cli_config"),
    "appliance.panel.gestures": ("test_panel_gestures",),
}
"""Module → the unit tests that are to notice when a line of it is wrong."""
MOST = 40
"""Mutants tried of one module, drawn evenly with a fixed seed."""
SLACK = 5.0
"""A mutant may take so many times as long as the tests do without one, and LEAST_S at the least: then it counts as killed."""
LEAST_S = 10.0

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


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed."""

    where: str
    what: str


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


def run_tests(tests: tuple[str, ...]) -> int:
    """pytest's exit code; says nothing."""
    files = [f"{UNIT}/{test}.py" for test in tests]
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        return int(
            pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:rerunfailures", "--timeout=60", *files])
        )


def killed(function: FunctionType, mutant: Mutant, tests: tuple[str, ...], limit_s: float) -> bool:
    """Whether the tests notice, in a fork of their own."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        with contextlib.suppress(BaseException):
            function.__code__ = mutant.code
            os._exit(0 if run_tests(tests) else 7)
        os._exit(0)  # no pytest came out of it: noticed
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 7
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def examine(name: str, tests: tuple[str, ...], most: int, seed: int) -> tuple[int, list[Survivor]]:
    """(mutants tried, survivors) of one module. Raises RuntimeError where its tests fail without any mutant."""
    begun_s = time.monotonic()
    if run_tests(tests):
        raise RuntimeError(f"{name}: its tests fail without any mutant")
    limit_s = max(LEAST_S, SLACK * (time.monotonic() - begun_s))
    module = importlib.import_module(name)
    assert module.__file__ is not None
    living = functions(module)
    source = Path(module.__file__).read_text(encoding="utf-8")
    all_of_it = [mutant for mutant in mutants(source, module.__file__) if mutant.function in living]
    all_of_it = [m for m in all_of_it if m.code.co_freevars == living[m.function].__code__.co_freevars]
    chosen = sorted(random.Random(seed).sample(all_of_it, min(most, len(all_of_it))), key=lambda mutant: mutant.line)
    survivors = [
        Survivor(f"{Path(module.__file__).name}:{mutant.line} {mutant.function}", mutant.what)
        for mutant in chosen
        if not killed(living[mutant.function], mutant, tests, limit_s)
    ]
    return len(chosen), survivors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of names; all without any")
    parser.add_argument("--most", type=int, default=MOST, help="mutants of one module")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/mutants.json"))
    args = parser.parse_args()
    table: dict[str, dict[str, Any]] = {}
    for name, tests in GUARDS.items():
        if args.modules and not any(part in name for part in args.modules):
            continue
        count, survivors = examine(name, tests, args.most, args.seed)
        table[name] = {"mutants": count, "killed": count - len(survivors), "survivors": [asdict(s) for s in survivors]}
        print(f"{name}: {count - len(survivors)} of {count}", flush=True)
        for survivor in survivors:
            print(f"  {survivor.where}: {survivor.what}", flush=True)
        args.out.parent.mkdir(exist_ok=True)
        args.out.write_text(json.dumps({"seed": args.seed, "modules": table}, indent=1), encoding="utf-8")
    total, dead = sum(row["mutants"] for row in table.values()), sum(row["killed"] for row in table.values())
    print(f"{dead} of {total} killed ({dead / max(1, total):.1%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
