"""In: one real-time turn of the suite `latency`. Out: its waterfall on the recording's own time line."""

from __future__ import annotations

from typing import Any

from appliance.bench.draw import LABELS, WIDTH, Scale, dot, figure, grid, line, rect, svg, text

ROW = 26
HEAD = 34
VALUES = 96
"""Room for the stages' times at the right."""
TAIL_MS = 40.0
MOST_BEFORE_MS = 700.0
"""Speech shown before its end: what comes earlier says nothing about latency."""


def waterfall(turn: dict[str, Any]) -> str | None:
    """Bars of the stages with 0 at the end of speech, partials as dots; None where the turn left no marks.

    `turn` has marks ([stage, start_ms, end_ms] since the turn's first sample), partials ([ms, text]) and speech_end_ms.
    The bar `listen` is parted at the end of speech: what comes after it is waiting for the decision.
    """
    marks, end_ms = turn.get("marks") or [], turn.get("speech_end_ms")
    if not marks or end_ms is None:
        return None
    bars = [(stage, start - end_ms, stop - end_ms) for stage, start, stop in marks]
    first = max(-MOST_BEFORE_MS, min(start for _, start, _ in bars))
    last = max(0.0, *(stop for _, _, stop in bars)) + TAIL_MS
    scale = Scale(first, last, LABELS, WIDTH - VALUES)
    bottom = HEAD + ROW * (len(bars) + 1)
    parts = grid(scale, HEAD, bottom, "ms")
    parts += [rect(scale.at(first), HEAD, scale.at(0) - scale.at(first), bottom - HEAD, "spoken")]
    for row, bar in enumerate(bars):
        parts += _bar(scale, HEAD + ROW * row, *bar)
    parts += _partials(scale, HEAD + ROW * len(bars), turn.get("partials") or [], end_ms)
    zero = scale.at(0)
    parts += [
        line(zero, HEAD - 6, zero, bottom, "speech-end"),
        text(zero, HEAD - 12, "end of speech", "mark", "middle"),
    ]
    return svg(bottom + 24, parts, "Waterfall of a turn")


def _bar(scale: Scale, y: float, stage: str, start: float, stop: float) -> list[str]:
    parts = [text(12, y + 17, stage, "row")]
    counted = start
    if stage == "listen" and stop > 0:
        counted = max(start, 0.0)
        parts.append(_span(scale, y, "listen", start, counted, "speech"))
        stage = "endpoint"
    parts.append(_span(scale, y, stage, counted, stop, stage))
    words = f"{'waits ' if stage == 'endpoint' else ''}{figure(round(stop - counted, 1))} ms"
    return [*parts, text(WIDTH - 6, y + 17, words, "value", "end")]


def _span(scale: Scale, y: float, style: str, start: float, stop: float, name: str) -> str:
    x = scale.at(start)
    tip = f"{name}: {start:.0f} to {stop:.0f} ms after the end of speech"
    return rect(x, y + 4, scale.at(stop) - x, ROW - 8, f"stage-{style}", tip)


def _partials(scale: Scale, y: float, partials: list[list[Any]], end_ms: float) -> list[str]:
    parts = [text(12, y + 17, "partial texts", "row")]
    for at_ms, words in partials:
        place = at_ms - end_ms
        if scale.low <= place <= scale.high:
            parts.append(dot(scale.at(place), y + 13, "partial", f"{place:.0f} ms: {words}"))
    return parts
