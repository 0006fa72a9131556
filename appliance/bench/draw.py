"""In: numbers and words. Out: pieces of inline SVG; colours come from the page's style sheet, by class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 920
LABELS = 150
"""Room for row names at the left, in picture units."""
RIGHT = 40


@dataclass(frozen=True, slots=True)
class Scale:
    """Values on a line of the picture. `low` and `high` lie at `left` and `right`."""

    low: float
    high: float
    left: float = LABELS
    right: float = WIDTH - RIGHT

    def at(self, value: float) -> float:
        """The place of a value, kept on the line."""
        span = (self.high - self.low) or 1.0
        share = min(1.0, max(0.0, (value - self.low) / span))
        return round(self.left + share * (self.right - self.left), 1)

    def ticks(self, about: int = 7) -> list[float]:
        """Round values (1, 2 or 5 times a power of ten apart) on the line."""
        step = _round_up((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def scale_of(values: Iterable[float], zero: bool = True) -> Scale:
    """A scale that holds all values with a little air, and 0 where `zero` asks for it."""
    present = [*values, *([0.0] if zero else [])] or [0.0, 1.0]
    low, high = min(present), max(present)
    air = 0.04 * ((high - low) or 1.0)
    return Scale(low if low == 0 else low - air, high + air)


def svg(height: float, parts: Sequence[str], title: str) -> str:
    """A whole picture, as wide as the page lets it; `title` is for those who cannot see it."""
    body = "".join(parts)
    return (f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title, quote=True)}">'
            f"{body}</svg>")  # fmt: skip


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'


def rect(x: float, y: float, width: float, height: float, style: str, tip: str = "") -> str:
    """At least one unit wide, so that what was short is still seen."""
    hint = f"<title>{escape(tip)}</title>" if tip else ""
    return (f'<rect x="{x:g}" y="{y:g}" width="{max(width, 1.2):g}" height="{height:g}" rx="2" class="{style}">'
            f"{hint}</rect>")  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{style}"/>'


def dot(x: float, y: float, style: str, tip: str = "", radius: float = 3.5) -> str:
    hint = f"<title>{escape(tip)}</title>" if tip else ""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="{style}">{hint}</circle>'


def grid(scale: Scale, top: float, bottom: float, unit: str, *, whole: bool = False) -> list[str]:
    """Upright lines with their values below, `whole` ones only where that is asked for; the unit stands at the last one."""
    parts = []
    ticks = [tick for tick in scale.ticks() if not whole or tick == int(tick)]
    for tick in ticks:
        x = scale.at(tick)
        words = figure(tick) + (f" {unit}" if tick == ticks[-1] else "")
        parts += [line(x, top, x, bottom, "grid"), text(x, bottom + 15, words, "tick", "middle")]
    return parts


def figure(value: float) -> str:
    """A value for people: whole from 100 on, else two figures behind the point at the most."""
    if abs(value) >= 100 or value == int(value):
        words = f"{value:.0f}"
    else:
        words = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 else f"{value:.2g}"
    return words.replace("-", "−", 1) if value <= -0.01 else words


def shorten(words: str, most: int = 22) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _round_up(step: float) -> float:
    if step <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(step))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9)))
