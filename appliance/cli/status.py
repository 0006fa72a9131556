"""The running device: state, health, engines, last turns."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from rich.console import Console

from appliance.api.control import ask
from appliance.cli.table import table
from appliance.settings import load

EXAMPLE = "appliance status --json"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    status = asyncio.run(ask(settings.device.runtime_dir, "status", timeout_s=5.0))
    if args.json:
        print(json.dumps(status, indent=2))
    else:
        _print(status)
    healthy = status["hearing"] != "deaf" and all(engine["ready"] for engine in status["engines"].values())
    return 0 if healthy else 1


def _print(status: dict[str, Any]) -> None:
    console = Console()
    console.print(f"{status['device']}: up {status['uptime_s']:.0f} s, {status['hearing']}", highlight=False)
    if status["hearing"] == "deaf":
        console.print(f"[red]deaf: {status['deaf_reason']}[/red]")
    engines = table("engine", "ready", "what", "restarts", "last failure", title="Engines")
    for name, engine in status["engines"].items():
        what = " ".join(filter(None, (engine["engine"], engine["model"])))
        engines.add_row(
            name, "yes" if engine["ready"] else "no", what, str(engine["restarts"]), engine["last_failure"] or "–"
        )
    console.print(engines)
    _print_telemetry(console, status["telemetry"])
    turns = table("outcome", "intent", "response ms", title="Last turns")
    for turn in status["turns"]:
        response = turn["ms"]["response"]
        turns.add_row(turn["outcome"], turn["intent"] or "–", "–" if response is None else f"{response:.0f}")
    console.print(turns)


def _print_telemetry(console: Console, telemetry: dict[str, Any]) -> None:
    """Alerts with their remedies, and what keeps the device from its broker."""
    for alert in telemetry["alerts"]:
        value = f"{alert['value']:g} {alert['unit']}".strip()
        console.print(f"[red]{alert['severity']} {alert['name']}: {value}[/red]. {alert['remedy']}", highlight=False)
    mqtt = telemetry["mqtt"]
    if mqtt["wanted"]:
        how = "connected" if mqtt["connected"] else f"not connected: {mqtt['trouble']}"
        console.print(f"mqtt: {how}, {mqtt['waiting']} messages waiting", highlight=False)
    judged = [row["verdict"] for row in telemetry["budgets"].values() if row["verdict"]]
    console.print(f"budgets: {judged.count('met')} of {len(judged)} met", highlight=False)
