"""In: what `appliance panel` asks for, as a table. Out: the panel does it, in a running device or on its own."""

from __future__ import annotations

import asyncio
from typing import Any

from appliance.errors import UsageError
from appliance.events import State
from appliance.panel.colour import BLUE, GREEN, RED, RGB, WHITE
from appliance.panel.gestures import TOLD, Gesture
from appliance.panel.panel import Panel

COLOURS: dict[str, RGB] = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
LONGEST_S = 60.0
BOARD_S = 5.0
"""How long the board may take to be recognised."""


async def panel_command(panel: Panel, arguments: dict[str, Any]) -> dict[str, Any]:
    """`do`: show (state, seconds, value), pixel (number, colour, seconds), gesture (seconds) or status.

    Waits until it is over. Raises UsageError for what cannot be done.
    """
    async with asyncio.timeout(BOARD_S):
        await panel.found.wait()
    seconds = _number(arguments, "seconds", 3.0, LONGEST_S)
    match arguments.get("do"):
        case "show":
            state, value = state_of(str(arguments.get("state"))), arguments.get("value")
            _need_leds(panel)
            panel.show(state, seconds, None if value is None else _number(arguments, "value", 0.0, 1.0))
            await asyncio.sleep(seconds)
        case "pixel":
            _need_leds(panel)
            colour = COLOURS.get(str(arguments.get("colour", "white")), WHITE)
            panel.pixel(int(_number(arguments, "number", 0.0, 255.0)), colour, seconds)
            await asyncio.sleep(seconds)
        case "gesture":
            return {"gesture": await _gesture(panel, seconds)}
        case "status":
            pass
        case other:
            raise UsageError("bad-panel", f"The panel cannot do '{other}'.")
    return panel.status()


def state_of(name: str) -> State:
    """Raises UsageError that lists the states there are."""
    try:
        return State(name.lower().replace("-", "_"))
    except ValueError as error:
        states = ", ".join(state.value for state in State)
        raise UsageError("bad-state", f"There is no state '{name}'; there are {states}.") from error


def _need_leds(panel: Panel) -> None:
    if panel.equipment is None or panel.equipment.shape is None:
        why = panel.equipment.why if panel.equipment is not None else "it has not started"
        raise UsageError("no-leds", f"There are no LEDs: {why}.")


async def _gesture(panel: Panel, seconds: float) -> str | None:
    """The next gesture, without what it usually does; None if none comes."""
    felt: asyncio.Future[Gesture] = asyncio.get_running_loop().create_future()

    def notice(gesture: Gesture) -> None:
        if gesture in TOLD and not felt.done():
            felt.set_result(gesture)

    panel.gestures.on_gesture = notice
    try:
        async with asyncio.timeout(seconds):
            return (await felt).value
    except TimeoutError:
        return None
    finally:
        panel.gestures.on_gesture = None


def _number(arguments: dict[str, Any], name: str, default: float, most: float) -> float:
    try:
        number = float(arguments.get(name, default))
    except (TypeError, ValueError) as error:
        raise UsageError("bad-number", f"'{name}' is a number from 0 to {most:g}.") from error
    if not 0.0 <= number <= most:
        raise UsageError("bad-number", f"'{name}' is a number from 0 to {most:g}.")
    return number
