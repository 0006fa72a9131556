"""In: the lines that the hand told. Out: medians and 95th percentiles of what was timed, what held and what did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

MEASURES = {
    "bare_press_ms": "press → callback, gpiozero and lgpio alone",
    "bare_led_ms": "LED on → line high, gpiozero and lgpio alone",
    "press_led_ms": "press → LED line high",
    "release_turn_ms": "release → turn open (250 ms of it wait for a second press)",
    "release_end_ms": "release → turn over (the same wait)",
    "talk_led_ms": "press → LED line high, hold to talk",
    "talk_turn_ms": "press → turn open, hold to talk",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure, milliseconds."""

    name: str
    title: str
    n: int
    p50: float | None
    p95: float | None
    missed: int
    """Times that it should have happened and did not."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that has to hold."""

    name: str
    ok: bool
    seen: str


def figures(told: Sequence[dict[str, Any]]) -> list[Figure]:
    """One for every measure that was tried."""
    found = []
    for name, title in MEASURES.items():
        tries = [line[name] for line in told if name in line]
        if tries:
            values = sorted(value for value in tries if value is not None)
            p95 = values[min(len(values) - 1, int(0.95 * len(values)))] if values else None
            middle = median(values) if values else None
            found.append(Figure(name, title, len(values), middle, p95, len(tries) - len(values)))
    return found


def checks(told: Sequence[dict[str, Any]], presses: int) -> list[Check]:
    """What has to hold, in the order of the story. What was not told does not hold."""
    chips, ready, last = _one(told, "chips"), _one(told, "ready"), _one(told, "panel")
    held, free = _one(told, "held"), _one(told, "free")
    labels = ", ".join(f"{chip['path']} {chip['label']}" for chip in chips.get("chips", ()))
    opened = [line for line in told if line["what"] == "press"]
    talked = [line for line in told if line["what"] == "talk"]
    return [
        Check("header-by-label", 0 < chips.get("header", 0) == chips.get("found"), labels),
        Check("holder-named", "held by" in (held.get("problem") or ""), str(held.get("problem"))),
        Check("freed-pin-taken", bool(free.get("taken")), str(free.get("taken"))),
        Check("ready", bool(ready) and not ready["panel"]["problems"], str(ready.get("panel", {}).get("problems"))),
        Check("presses-open-turns", len(opened) == presses, f"{len(opened)} of {presses}"),
        Check("held-presses-open-turns", len(talked) == presses, f"{len(talked)} of {presses}"),
        Check("leds-light", _lit([*opened, *talked]), f"{len(opened) + len(talked)} presses"),
        Check(
            "no-problem-after", bool(last) and not last["panel"]["problems"], str(last.get("panel", {}).get("problems"))
        ),
        Check(
            "to-the-end", bool(_one(told, "end")), "; ".join(line["sentence"] for line in told if "sentence" in line)
        ),
    ]


def _lit(presses: Iterable[dict[str, Any]]) -> bool:
    times = [value for line in presses for name, value in line.items() if name.endswith("_led_ms")]
    return bool(times) and None not in times


def _one(told: Iterable[dict[str, Any]], what: str) -> dict[str, Any]:
    return next((line for line in told if line["what"] == what), {})
