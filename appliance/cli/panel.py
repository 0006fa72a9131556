"""LEDs and button: play a state, or walk through every LED and ask for every gesture of the button."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from appliance.api.control import NotRunning, ask
from appliance.cli.run import log_to_stderr
from appliance.errors import ApplianceError
from appliance.events import Bus
from appliance.hardware.gpio import header_chip
from appliance.panel.command import LONGEST_S, panel_command, state_of
from appliance.panel.panel import Panel
from appliance.settings import Settings, load

EXAMPLE = "appliance panel show listening --seconds 5"

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
STEP_S = 0.6
GESTURE_S = 15.0
GESTURES = {
    "single": "Press the button once.",
    "double": "Press it twice, quickly.",
    "triple": "Press it three times, quickly.",
    "long": "Hold it for a second.",
}
TALK_GESTURES = {"single": "Press the button once.", "hold": "Hold it for a second."}


def add(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    what.add_parser("test", help="walk through every LED, ask for every gesture of the button")
    show = what.add_parser("show", help="play one state")
    show.add_argument("state", metavar="STATE", help="listening, thinking, replying, muted, …")
    show.add_argument("--seconds", type=float, default=5.0, metavar="S", help=f"how long, up to {LONGEST_S:g}")
    show.add_argument("--value", type=float, metavar="SHARE", help="progress, volume or what is left, 0 to 1")


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    log_to_stderr("ERROR")
    return asyncio.run(_run(args, settings))


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    async with _panel(settings) as ask_panel:
        if args.what == "test":
            return await _test(ask_panel, settings.panel.hold_to_talk)
        order = {"do": "show", "state": state_of(args.state).value, "seconds": args.seconds, "value": args.value}
        return _problems(await ask_panel(order))


@contextlib.asynccontextmanager
async def _panel(settings: Settings) -> AsyncIterator[Ask]:
    """The running device's panel; where none runs, one of our own."""
    folder = settings.device.runtime_dir
    try:
        await ask(folder, "panel", {"do": "status"}, timeout_s=10.0)
    except NotRunning:
        panel = Panel(settings.panel, Bus(), header_chip)
        life = asyncio.create_task(panel.run(), name="panel")
        try:
            yield lambda order: panel_command(panel, order)
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        return
    yield lambda order: ask(folder, "panel", order, timeout_s=LONGEST_S + 10.0)


async def _test(ask_panel: Ask, hold_to_talk: bool) -> int:
    status = await ask_panel({"do": "status"})
    print(f"board: {status['board'] or 'none'} ({status['why']})")
    if not status["leds"] and status["button_pin"] is None:
        raise ApplianceError("nothing", "There are neither LEDs nor a button to test.")
    failed = _problems(status)
    if status["leds"]:
        failed |= await _walk(ask_panel, int(status["leds"]))
    if status["button_pin"] is not None:
        failed |= await _feel(ask_panel, int(status["button_pin"]), hold_to_talk)
    return failed


async def _walk(ask_panel: Ask, count: int) -> int:
    """Every LED in three colours, alone, one after the other."""
    for number in range(count):
        print(f"LED {number + 1} of {count}: red, green, blue", flush=True)
        for colour in ("red", "green", "blue"):
            status = await ask_panel({"do": "pixel", "number": number, "colour": colour, "seconds": STEP_S / 2})
            if status["problems"].get("leds"):
                return _problems(status)
    print("A ring that is shorter than configured leaves the last ones dark: set panel.led_count to what was lit.")
    if not sys.stdin.isatty():
        return 0
    answer = await asyncio.to_thread(input, f"Were all {count} lit, one after the other? [y/n] ")
    return 0 if answer.strip().lower().startswith("y") else 1


async def _feel(ask_panel: Ask, pin: int, hold_to_talk: bool) -> int:
    """Every gesture of the button."""
    failed = 0
    for wanted, sentence in (TALK_GESTURES if hold_to_talk else GESTURES).items():
        print(f"{sentence} ({GESTURE_S:.0f} s)", flush=True)
        felt = (await ask_panel({"do": "gesture", "seconds": GESTURE_S}))["gesture"]
        verdict = "good" if felt == wanted else "nothing came" if felt is None else f"came as '{felt}'"
        print(f"  GPIO{pin}: {verdict}")
        failed |= int(felt != wanted)
    return failed


def _problems(status: dict[str, Any]) -> int:
    """Prints what is wrong; 1 if anything is."""
    for part, sentence in status["problems"].items():
        print(f"appliance: {part}: {sentence}", file=sys.stderr)
    return int(bool(status["problems"]))
