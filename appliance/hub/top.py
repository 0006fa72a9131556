"""In: a running hub's API. Out: the fleet as a table in the terminal, the worst first, once or again and again."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from appliance.errors import ApplianceError

DEADLINE_S = 5.0
AGAIN_S = 1.0
BARS = "▁▂▃▄▅▆▇█"
SPARK = 20
"""Turns of the sparkline."""
COLOURS = {"well": "green", "unknown": "dim", "sick": "yellow", "offline": "red", "silent": "red"}


class NoHubError(ApplianceError, OSError):
    """Nobody answers at the hub's address."""


def _asked(page: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{page}/api/devices", timeout=DEADLINE_S) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise NoHubError("no-hub", f"No hub answers at {page} ({error}): `appliance hub` starts one.") from error
    return found


def as_json(page: str) -> str:
    """What the hub says of its devices. Raises NoHubError."""
    return json.dumps(_asked(page))


def spark(turns: list[dict[str, Any]]) -> str:
    """The last turns as bars; a failed one is a cross, one without an answer a dot."""
    shown = turns[-SPARK:]
    most = max((turn["response_ms"] or 0.0 for turn in shown), default=0.0) or 1.0
    marks = []
    for turn in shown:
        ms = turn["response_ms"]
        marks.append("×" if turn["failed"] else "·" if ms is None else BARS[min(7, int(ms / most * 7.99))])
    return "".join(marks)


def table(page: str, most: int = 200, now_s: float | None = None) -> Table:
    """The fleet now. Raises NoHubError."""
    return drawn(_asked(page), most, time.time() if now_s is None else now_s)


def drawn(told: dict[str, Any], most: int, now_s: float) -> Table:
    """The table of an answer of `/api/devices`; `now_s` is Unix time."""
    summary = told["summary"]
    well = summary["conditions"].get("well", 0)
    median = summary["median_response_ms"]
    title = f"{summary['devices']} devices, {well} well" + (f", median answer {median:.0f} ms" if median else "")
    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name, justify in (("device", "left"), ("state", "left"), ("p50 ms", "right"), ("turns", "left"), ("heard", "right"),
                          ("what needs help", "left")):  # fmt: skip
        made.add_column(name, justify=justify, no_wrap=name != "what needs help")  # type: ignore[arg-type]
    for device in told["devices"][:most]:
        condition = device["condition"]
        word = condition if condition not in ("well", "sick") else device["state"] or condition
        heard_s = device["heard_s"]
        troubles = device["troubles"]
        made.add_row(
            Text(device["name"]), Text(word, COLOURS.get(condition, "")), _number(device["response_ms"]),
            spark(device["spark"]), "–" if heard_s is None else f"{max(0.0, now_s - heard_s):.0f} s",
            Text(f"{troubles[0]['sentence']}. {troubles[0]['advice']}" if troubles else ""),
        )  # fmt: skip
    return made


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def follow(page: str) -> None:
    """Draws until interrupted. A hub that goes away is told in place; raises NoHubError only where none was there."""
    console = Console()
    with Live(table(page, console.height - 3), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(AGAIN_S)
            try:
                live.update(table(page, console.height - 3), refresh=True)
            except NoHubError as error:
                live.update(Text(error.message, "red"), refresh=True)
