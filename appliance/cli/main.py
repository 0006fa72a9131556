"""In: the command line. Out: one command run, and its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance import __version__
from appliance.errors import ApplianceError

COMMANDS = {
    "run": "the device: supervisor in the foreground",
    "setup": "ask what this device needs, write its settings, say hello",
    "serve": "recogniser, voice and wake words as Wyoming services for others",
    "demo": "a whole spoken turn without any hardware",
    "replay": "the real program with recordings as the microphone",
    "bench": "measure a suite against its budgets",
    "selftest": "a spoken turn with nobody there",
    "say": "speak a text",
    "ask": "what a sentence means, and the answer to it",
    "listen": "transcribe the microphone or a recording, live",
    "models": "list, fetch and verify models",
    "devices": "sound cards, GPIO chip and boards",
    "doctor": "check everything a helper would ask for",
    "panel": "test LEDs and button, play a state",
    "hub": "the home server's side: live page, history, Prometheus",
    "status": "the running device: state, health, last turns",
    "config": "show, check and describe the settings",
}
"""Command → help line. The command NAME lives in `appliance.cli.NAME` as `add(parser)` and `run(args) -> int`."""


def parser(chosen: str | None) -> argparse.ArgumentParser:
    """The command line with the arguments of the `chosen` command; only that one's module is imported.

    `--config` and `--set` stand before or after the command.
    """
    top = argparse.ArgumentParser(prog="appliance", description="Voice appliance.", parents=[_common(top=True)])
    top.add_argument("--version", action="version", version=f"appliance {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_line in COMMANDS.items():
        if name != chosen:
            commands.add_parser(name, help=help_line)
            continue
        module = importlib.import_module(f"appliance.cli.{name.replace('-', '_')}")
        command = commands.add_parser(
            name,
            help=help_line,
            description=f"{module.__doc__}",
            parents=[_common(top=False)],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=f"{getattr(module, 'EPILOGUE', '')}example:\n  {module.EXAMPLE}",
        )
        module.add(command)
        command.set_defaults(run=module.run)
    return top


def _common(top: bool) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    default = None if top else argparse.SUPPRESS
    common.add_argument("--config", type=Path, metavar="FILE", default=default, help="settings file (TOML)")
    common.add_argument(
        "--set",
        dest="assignments" if top else "assignments_after",
        action="append",
        default=[] if top else argparse.SUPPRESS,
        metavar="SECTION.FIELD=VALUE",
        help="set one setting; repeatable, wins over file and environment",
    )
    return common


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Errors become one sentence on standard error."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser(next((word for word in argv if word in COMMANDS), None)).parse_args(argv)
    args.assignments = [*args.assignments, *getattr(args, "assignments_after", [])]
    try:
        return int(args.run(args))
    except ApplianceError as error:
        for line in str(error).splitlines():
            print(f"appliance: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
