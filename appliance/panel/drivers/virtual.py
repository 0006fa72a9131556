"""In: frames. Out: the panel drawn in a terminal, for machines without LEDs."""

from __future__ import annotations

import math

from rich.console import Console
from rich.style import Style
from rich.text import Text

from appliance.panel.colour import OFF, RGB, Frame
from appliance.panel.shape import Kind, Shape

DARK: RGB = (48, 48, 48)
"""An LED that is off is still seen."""
RADIUS_ROWS = 3.0


def render(frame: Frame, shape: Shape) -> Text:
    """A frame as text: a ring as a circle of seven lines (pixel 0 on top, clockwise), anything else as one line."""
    if shape.kind is not Kind.RING:
        return Text("  ").join(_pixel(colour) for colour in frame)
    rows = int(2 * RADIUS_ROWS) + 1
    width = 4 * int(RADIUS_ROWS) + 2
    grid: list[list[RGB | None]] = [[None] * width for _ in range(rows)]
    for number, colour in enumerate(frame):
        angle = 2 * math.pi * number / len(frame)
        row = round(RADIUS_ROWS - RADIUS_ROWS * math.cos(angle))
        column = round(2 * RADIUS_ROWS + 2 * RADIUS_ROWS * math.sin(angle))
        grid[row][column] = colour
    lines = (Text().join(Text(" ") if cell is None else _pixel(cell) for cell in line) for line in grid)
    return Text("\n").join(lines)


def _pixel(colour: RGB) -> Text:
    seen = DARK if colour == OFF else colour
    return Text("●", Style(color=f"#{seen[0]:02x}{seen[1]:02x}{seen[2]:02x}"))


class VirtualLights:
    """LEDs as one line on a terminal, drawn over itself; where standard error is no terminal, nothing is drawn."""

    def __init__(self, shape: Shape, console: Console | None = None) -> None:
        self._line = Shape(Kind.ROW, shape.count)
        self._console = console or Console(stderr=True)

    def show(self, frame: Frame, brightness: float) -> None:
        if self._console.is_terminal:
            self._console.print(render(frame, self._line), end="\r")

    def close(self) -> None:
        if self._console.is_terminal:
            self._console.print()
