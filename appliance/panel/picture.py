"""In: the patterns. Out: one SVG that shows every state on the ring of 12 and the row of 3, as a moment of its motion."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.events import State
from appliance.panel import patterns
from appliance.panel.colour import OFF, RGB
from appliance.panel.scene import Scene
from appliance.panel.shape import Kind, Shape

RING = Shape(Kind.RING, 12, mics=(1, 4, 7, 10))
ROW = Shape(Kind.ROW, 3)


@dataclass(frozen=True, slots=True)
class Moment:
    """A scene worth a picture."""

    title: str
    note: str
    scene: Scene
    at_s: float


MOMENTS = (
    Moment("idle", "dark", Scene(State.IDLE), 0.0),
    Moment("starting", "white, slowly round", Scene(State.STARTING), 1.4),
    Moment("wake word", "flash, spot at the speaker", Scene(State.LISTENING, direction_deg=60.0, level=0.3), 0.05),
    Moment(
        "listening",
        "spin, glow with the voice",
        Scene(State.LISTENING, direction_deg=60.0, level=0.5, heard_s=1.0),
        1.7,
    ),
    Moment("thinking", "two pulse", Scene(State.THINKING), 0.35),
    Moment("replying", "reverse spin", Scene(State.REPLYING), 0.55),
    Moment("muted", "red at the microphones", Scene(State.MUTED), 0.0),
    Moment("volume", "60 %", Scene(State.VOLUME, 0.6), 0.5),
    Moment("timer runs", "what is left", Scene(State.TIMER_RUNNING, 0.7), 1.0),
    Moment("timer rings", "halves change places", Scene(State.TIMER_RINGING), 0.1),
    Moment("error", "all pulse", Scene(State.ERROR), 0.05),
    Moment("not ready", "twinkles", Scene(State.NOT_READY), 1.75),
    Moment("deaf", "no sound arrives", Scene(State.NOT_READY, reason="deaf"), 0.9),
    Moment("button held", "fills until it mutes", Scene(State.BUTTON, 0.75), 0.75),
    Moment("reset", "countdown of 10 s", Scene(State.BUTTON, 0.55, "reset"), 4.5),
    Moment("updating", "how far it is", Scene(State.UPDATING, 0.5), 3.05),
)
"""Every state, and the variants of one."""

COLUMNS, WIDTH, HEIGHT = 4, 236, 236
RADIUS, LED = 62.0, 8.5
PAPER, BOARD, EDGE, DARK, INK, FAINT = "#0d1016", "#161a22", "#262c38", "#232833", "#eef1f6", "#8b94a5"


def picture() -> str:
    """The SVG; the same patterns make the same text."""
    rows = math.ceil(len(MOMENTS) / COLUMNS)
    width, height = COLUMNS * WIDTH + 24, rows * HEIGHT + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" role="img" aria-label="What the LEDs show in every state">',
        f'<rect width="{width}" height="{height}" rx="18" fill="{PAPER}"/>',
    ]
    glows: dict[RGB, str] = {}
    cells = []
    for number, moment in enumerate(MOMENTS):
        row, column = divmod(number, COLUMNS)
        cells += _cell(moment, 12 + column * WIDTH, 12 + row * HEIGHT, glows)
    parts.append("<defs>")
    for colour, name in glows.items():
        stops = (
            f'<stop offset="{at}" stop-color="{_hex(colour)}" stop-opacity="{see}"/>' for at, see in ((0, 0.6), (1, 0))
        )
        parts.append(f'<radialGradient id="{name}">{"".join(stops)}</radialGradient>')
    parts.append("</defs>")
    return "\n".join([*parts, *cells, "</svg>", ""])


def _cell(moment: Moment, left: float, top: float, glows: dict[RGB, str]) -> list[str]:
    middle, centre = left + WIDTH / 2, top + 92
    out = [
        f'<rect x="{left + 6}" y="{top + 6}" width="{WIDTH - 12}" height="{HEIGHT - 12}" rx="14" fill="{BOARD}"/>',
        f'<circle cx="{middle}" cy="{centre}" r="{RADIUS + 15}" fill="{PAPER}" stroke="{EDGE}"/>',
    ]
    ring = patterns.frame(moment.scene, moment.at_s, RING)
    places = [
        (middle + RADIUS * math.sin(turn), centre - RADIUS * math.cos(turn))
        for turn in (2 * math.pi * pixel / RING.count for pixel in range(RING.count))
    ]
    row = patterns.frame(moment.scene, moment.at_s, ROW)
    places += [(middle + (pixel - 1) * 26, centre) for pixel in range(ROW.count)]
    out.append(
        f'<rect x="{middle - 43}" y="{centre - 15}" width="86" height="30" rx="15" fill="{BOARD}" stroke="{EDGE}"/>'
    )
    lit = list(zip(places, (*ring, *row), strict=True))
    out += [_glow(x, y, colour, glows) for (x, y), colour in lit if colour != OFF]
    out += [_led(x, y, colour) for (x, y), colour in lit]
    words = ((199, 16, 600, INK, moment.title), (218, 12, 400, FAINT, moment.note))
    out += [
        f'<text x="{middle}" y="{top + y}" font-size="{size}" font-weight="{weight}" fill="{ink}" '
        f'text-anchor="middle">{text}</text>'
        for y, size, weight, ink, text in words
    ]
    return out


def _glow(x: float, y: float, colour: RGB, glows: dict[RGB, str]) -> str:
    name = glows.setdefault(colour, f"g{len(glows)}")
    share = max(colour) / 255
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{10 + 17 * share:.1f}" fill="url(#{name})"/>'


def _led(x: float, y: float, colour: RGB) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{LED}" fill="{DARK if colour == OFF else _hex(_seen(colour))}"/>'


def _seen(colour: RGB) -> RGB:
    """A dim LED on paper: its colour over the dark lens."""
    share = max(colour) / 255
    lens = (0x23, 0x28, 0x33)
    red, green, blue = (round(c + (1 - share) * under) for c, under in zip(colour, lens, strict=True))
    return (min(red, 255), min(green, 255), min(blue, 255))


def _hex(colour: RGB) -> str:
    return f"#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(picture(), encoding="utf-8")
