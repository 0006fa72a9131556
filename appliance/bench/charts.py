"""In: rows of values, shares or curves. Out: distributions, bars and line charts as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.bench.draw import (
    LABELS,
    RIGHT,
    WIDTH,
    Scale,
    dot,
    figure,
    grid,
    line,
    rect,
    scale_of,
    shorten,
    svg,
    text,
)
from appliance.bench.percentile import percentile

ROW = 30
TOP = 10
CURVE_HEIGHT = 300
LETTER = 6.8
"""Width of a letter of a row's name, in picture units."""
SPREAD = (0, -5, 5, -2.5, 2.5, -7.5, 7.5)
"""Steps up and down, so that values at the same place do not hide each other."""


def distributions(rows: Mapping[str, Sequence[float]], unit: str) -> str | None:
    """A row of dots for each name, its median as a thick line and its p95 as a thin one; None without values."""
    present = {name: values for name, values in rows.items() if values}
    if not present:
        return None
    scale = scale_of(value for values in present.values() for value in values)
    bottom = TOP + ROW * len(present)
    parts = grid(scale, TOP, bottom, unit)
    for row, (name, values) in enumerate(present.items()):
        y = TOP + ROW * row + ROW / 2
        parts.append(text(12, y + 4, shorten(name), "row"))
        parts += [
            dot(scale.at(value), y + SPREAD[number % len(SPREAD)], "value-dot", f"{figure(value)} {unit}", 2.8)
            for number, value in enumerate(sorted(values))
        ]
        for level, style in ((50, "median"), (95, "p95")):
            at = percentile(values, level)
            if at is not None:
                parts.append(line(scale.at(at), y - 12, scale.at(at), y + 12, style))
    return svg(bottom + 24, parts, f"Distribution in {unit}")


def bars(
    rows: Mapping[str, float], unit: str, labels: float = LABELS, *, whole: bool = False, most: float | None = None
) -> str | None:
    """A bar for each name, from 0; None without rows. `labels`: room for names; `whole`: counts; `most`: the end of the
    scale where it is known."""
    if not rows:
        return None
    high = (most or max([*rows.values(), 1e-9])) * 1.15
    scale = Scale(0.0, high, labels)
    bottom = TOP + ROW * len(rows)
    parts = grid(scale, TOP, bottom, unit, whole=whole)
    for row, (name, value) in enumerate(rows.items()):
        y, x = TOP + ROW * row, scale.at(value)
        words = f"{figure(value)} {unit}"
        parts += [text(12, y + 20, shorten(name, int(labels / LETTER)), "row"),
                  rect(labels, y + 6, x - labels, ROW - 12, "bar", words),
                  text(x + 6, y + 20, words, "value")]  # fmt: skip
    return svg(bottom + 24, parts, f"Bars in {unit}")


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    x_unit: str,
    y_unit: str,
    y_low: float | None = None,
    mark: tuple[float | None, str] = (None, ""),
) -> str | None:
    """(x, y) pairs joined by lines, one colour a name; None without points. `y_low` fixes the lower edge, `mark` draws an
    upright line with words beside it."""
    present = {name: sorted(points) for name, points in lines.items() if points}
    if not present:
        return None
    points = [point for row in present.values() for point in row]
    x_scale = scale_of((x for x, _ in points), zero=False)
    y_scale = _upright([y for _, y in points], y_low)
    parts = _frame(x_scale, y_scale, x_unit, y_unit)
    if mark[0] is not None:
        at = x_scale.at(mark[0])
        parts += [line(at, TOP + 10, at, CURVE_HEIGHT, "speech-end"), text(at + 6, CURVE_HEIGHT - 8, mark[1], "tick")]
    for number, (name, row) in enumerate(present.items()):
        places = [(x_scale.at(x), y_scale.at(y)) for x, y in row]
        path = " ".join(f"{x:g},{y:g}" for x, y in places)
        parts.append(f'<polyline points="{path}" class="curve curve-{number % 6}"/>')
        if len(row) <= 40:
            parts += [dot(x, y, f"point-{number % 6}", f"{name}: {figure(a)} {x_unit}, {figure(b)} {y_unit}")
                      for (x, y), (a, b) in zip(places, row, strict=True)]  # fmt: skip
        x = LABELS + 190 * (number % 4)
        y = CURVE_HEIGHT + 52 + 18 * (number // 4)
        parts += [rect(x, y - 9, 14, 9, f"bar point-{number % 6}"), text(x + 20, y, shorten(name, 26), "tick")]
    return svg(CURVE_HEIGHT + 64 + 18 * ((len(present) - 1) // 4), parts, f"{y_unit} over {x_unit}")


def _upright(values: Sequence[float], low: float | None) -> Scale:
    """A scale from the bottom of the picture to its top."""
    below = min(values) if low is None else low
    air = 0.06 * (max(values) - below) or 1e-6
    return Scale(below if low is not None else below - air, max(values) + air, CURVE_HEIGHT, TOP + 10)


def _frame(x_scale: Scale, y_scale: Scale, x_unit: str, y_unit: str) -> list[str]:
    parts = grid(x_scale, TOP + 10, CURVE_HEIGHT, x_unit)
    for tick in y_scale.ticks(6):
        y = y_scale.at(tick)
        parts += [line(LABELS, y, WIDTH - RIGHT, y, "grid"), text(LABELS - 10, y + 4, figure(tick), "tick", "end")]
    parts.append(text(12, TOP + 16, y_unit, "tick"))
    return parts
