"""Check everything a helper would ask for; each with a verdict and a remedy."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from appliance.api.control import NotRunning, ask
from appliance.cli.checks import MACHINE_CHECKS, SETTINGS_CHECKS, Check, check_card
from appliance.cli.table import table
from appliance.errors import ApplianceError, SettingsError
from appliance.settings import Settings, load

EXAMPLE = "appliance doctor"
STATUS_TIMEOUT_S = 5.0
STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    found = list(_all(args))
    if args.json:
        print(json.dumps([asdict(check) for check in found], indent=2))
    else:
        _print(found)
    return 1 if any(check.verdict == "wrong" for check in found) else 0


def _all(args: argparse.Namespace) -> Iterator[Check]:
    for machine in MACHINE_CHECKS:
        yield from machine()
    try:
        settings, origins = load(args.config, args.assignments)
    except SettingsError as error:
        yield Check("settings", "wrong", error.message, "correct it, then run `appliance config check`")
        return
    yield Check("settings", "ok", f"valid, {len(origins)} set")
    for check in SETTINGS_CHECKS:
        yield from check(settings)
    yield from _device(settings)


def _device(settings: Settings) -> Iterator[Check]:
    """The running device knows about its card; where none runs, the card is tried."""
    try:
        status = asyncio.run(ask(settings.device.runtime_dir, "status", timeout_s=STATUS_TIMEOUT_S))
    except NotRunning:
        yield Check("device", "ok", "not running")
        yield from check_card(settings)
        return
    except ApplianceError as error:
        yield Check("device", "wrong", error.message, "systemctl restart appliance")
        return
    yield Check("device", "ok", f"running for {status['uptime_s']:.0f} s")
    yield _hearing(status)
    for name, engine in status["engines"].items():
        if engine["ready"]:
            yield Check(f"engine {name}", "ok", "ready")
        else:
            yield Check(
                f"engine {name}", "wrong", str(engine.get("last_failure") or "not ready"), "journalctl -u appliance"
            )


def _hearing(status: dict[str, Any]) -> Check:
    if status["hearing"] != "deaf":
        return Check("hearing", "ok", str(status["hearing"]))
    return Check("hearing", "wrong", f"deaf: {status['deaf_reason']}", "look at `appliance devices` and at the cable")


def _print(found: list[Check]) -> None:
    rows = table("check", "verdict", "found, and what to do")
    for check in found:
        rows.add_row(check.name, Text(check.verdict, STYLES[check.verdict]), _words(check))
    console = Console()
    console.print(rows)
    count = sum(check.verdict == "wrong" for check in found)
    told = "Nothing is wrong." if not count else "One thing is wrong." if count == 1 else f"{count} things are wrong."
    console.print(told)


def _words(check: Check) -> Text:
    remedy = f"\n→ {check.remedy}" if check.remedy else ""
    return Text.assemble(check.found, (remedy, "bold"))
