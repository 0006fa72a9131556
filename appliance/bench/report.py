"""In: records of suites. Out: one self-contained HTML page: verdicts, pictures, details; nothing is fetched from outside."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from appliance.bench.draw import figure
from appliance.bench.pictures import Picture, pictures
from appliance.bench.record import Judged, Record
from appliance.bench.tables import LEVELS, compared, heading, times, worst
from appliance.telemetry.metrics.budget import Direction

PAGE = Path(__file__).with_name("report.html")
MOST_ROWS = 1000
CARDS = 4
HEADLINES = {
    "barge": (
        "barge.wake_silence_ms.p50",
        "barge.stop_silence_ms.p50",
        "barge.button_silence_ms.p50",
        "barge.right_rate",
    ),
    "latency": ("latency.response_ms.p50", "latency.response_ms.p95", "latency.cut_off_rate", "latency.right_rate"),
}
"""Suites with more measures than a person reads → those that sum it up."""
VERDICTS = ("critical", "warning", "met")
HIDDEN = ("marks", "partials", "accept_from", "right_if_taken")
"""Columns of details that only pictures can show."""


def page(records: Sequence[Record]) -> str:
    """The whole page, one section a suite."""
    names = ", ".join(dict.fromkeys(record.result.suite for record in records))
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    sections = "".join(map(_section, records)) + (_conditions(records[0]) if records else "")
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Benchmark: {names}"), about=escape(_about(records, now)), sections=sections
    )


def standalone(picture: Picture) -> str:
    """A picture as an SVG file of its own, in the page's colours, light and dark."""
    style = PAGE.read_text(encoding="utf-8").partition("<style>")[2].partition("</style>")[0]
    head, _, rest = picture.svg.partition(">")
    space = "" if "xmlns" in head else ' xmlns="http://www.w3.org/2000/svg"'
    return f"{head}{space}><style>{style}</style>{rest}\n"


def _about(records: Sequence[Record], now: str) -> str:
    if not records:
        return now
    machine = records[0].machine
    return (f"{now} · {machine['cpu']}, {machine['cores']} cores · Raspberry Pi 5 projection: "
            f"{machine['pi5_projection']}")  # fmt: skip


def _section(record: Record) -> str:
    result = record.result
    return (
        f'<section><div class="head"><h2>{escape(result.title)}</h2><span class="soft">n = {result.n}</span></div>'
        + _cards(record)
        + "".join(map(_figure, pictures(result)))
        + _tables(record)
        + _notes(result.notes)
        + _details(result.details)
        + "</section>"
    )


def _cards(record: Record) -> str:
    """The figures to look at first: the suite's headlines, else the worst that were judged."""
    rows = [row for row in record.judged if row.name in HEADLINES.get(record.result.suite, ())]
    if not rows:
        rows = [row for row in record.judged if row.verdict is not None]
        rows.sort(key=lambda row: VERDICTS.index(row.verdict or "met"))
    cards = [
        f'<div class="card"><b>{_with_unit(row)}</b><span class="what">{escape(row.name)}</span>{_verdict(row)}</div>'
        for row in rows[:CARDS]
    ]
    return f'<div class="cards">{"".join(cards)}</div>' if cards else ""


def _with_unit(row: Judged) -> str:
    unit = row.budget.unit if row.budget else ""
    if row.value is None:
        return "–"
    if unit in ("share", "of a core") or (not unit and row.name.partition("@")[0].endswith("_rate")):
        return f"{figure(round(100 * row.value, 2))} %"
    return f"{figure(row.value)} {escape(unit)}".strip()


def _verdict(row: Judged) -> str:
    return "" if row.verdict is None else f'<span class="v {row.verdict}">{row.verdict}</span>'


def _tables(record: Record) -> str:
    """Comparisons, times with their percentiles, and every other measure by itself."""
    beside, rest = compared(record.judged)
    stages, rest = times(rest)
    parts = []
    if beside:
        parts.append(f"<h3>What it is worth, and for whom</h3>{_compared(beside, record.result.suite)}")
    if stages:
        parts.append(f"<h3>Times and budgets, ms</h3>{_times(stages, record.result.suite)}")
    if rest:
        parts.append(f"<h3>Measures and budgets</h3>{_measures(rest)}")
    return "".join(parts)


def _compared(rows: Mapping[str, Mapping[str, Judged]], suite: str) -> str:
    names = list(dict.fromkeys(name for columns in rows.values() for name in columns))
    head = "".join(f'<th class="n">{heading(name, suite)}</th>' for name in names)
    body = "".join(
        f'<tr><td class="name">{escape(name)}</td>'
        + "".join(f'<td class="n">{_with_unit(columns[each]) if each in columns else ""}</td>' for each in names)
        + "</tr>"
        for name, columns in rows.items()
    )
    return f'<div class="wide"><table><tr><th></th>{head}</tr>{body}</table></div>'


def _times(stages: Mapping[str, Mapping[str, Judged]], suite: str) -> str:
    head = "".join(f'<th class="n">{level}</th>' for level in LEVELS)
    body = "".join(_time(name, dict(levels), suite) for name, levels in stages.items())
    return (f'<div class="wide"><table><tr><th>from → to</th>{head}<th class="n">target</th>'
            f'<th class="n">beyond everybody</th><th>verdict</th></tr>{body}</table></div>')  # fmt: skip


def _time(name: str, levels: dict[str, Judged], suite: str) -> str:
    cells = "".join(f'<td class="n"><b>{_value(levels.get(level))}</b></td>' for level in LEVELS)
    budgets = list(dict.fromkeys(row.budget for row in levels.values() if row.budget is not None))
    target = " · ".join(dict.fromkeys(f"≤ {_exact(budget.target)}" for budget in budgets))
    goal = " · ".join(f"≤ {_exact(budget.goal)}" for budget in budgets if budget.goal is not None)
    verdict = worst(levels)
    mark = "" if verdict is None else f'<span class="v {verdict}">{verdict}</span>'
    return (f'<tr><td class="name">{heading(name, suite)}</td>{cells}<td class="n">{target}</td>'
            f'<td class="n">{goal}</td><td>{mark}</td></tr>')  # fmt: skip


def _value(row: Judged | None) -> str:
    if row is None:
        return ""
    return '<span class="null">null</span>' if row.value is None else _exact(row.value)


def _measures(rows: Sequence[Judged]) -> str:
    """The whole table; the projection has a column only where there is one."""
    pi5 = '<th class="n">on a Pi 5 core</th>' if any(row.pi5 is not None for row in rows) else ""
    head = f'<tr><th>measure</th><th class="n">value</th><th class="n">target</th><th class="n">beyond everybody</th>\
<th>verdict</th>{pi5}</tr>'
    body = "".join(_measure(row, bool(pi5)) for row in rows)
    return f'<div class="wide"><table>{head}{body}</table></div>'


def _measure(row: Judged, projected: bool) -> str:
    target = goal = ""
    if row.budget is not None:
        sign = "≤" if row.budget.direction is Direction.AT_MOST else "≥"
        unit = "" if row.budget.unit == "share" else f" {escape(row.budget.unit)}"
        target = f"{sign} {_exact(row.budget.target)}{unit}"
        goal = "" if row.budget.goal is None else f"{sign} {_exact(row.budget.goal)}"
    value = '<span class="null">null</span>' if row.value is None else _exact(row.value)
    pi5 = f'<td class="n">{"" if row.pi5 is None else _exact(row.pi5)}</td>' if projected else ""
    return (f'<tr><td class="name">{escape(row.name)}</td><td class="n"><b>{value}</b></td><td class="n">{target}</td>'
            f'<td class="n">{goal}</td><td>{_verdict(row)}</td>{pi5}</tr>')  # fmt: skip


def _exact(value: float) -> str:
    words = f"{value:.4g}" if 1e-4 < abs(value) < 1e4 else f"{value:.6g}"
    return words.replace("-", "−", 1) if value < 0 else words


def _figure(picture: Picture) -> str:
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    return f"<h3>{escape(picture.heading)}</h3><figure>{picture.svg}{caption}</figure>"


def _notes(notes: Sequence[str]) -> str:
    return f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul>' if notes else ""


def _details(details: Sequence[dict[str, Any]]) -> str:
    if not details:
        return ""
    columns = list(dict.fromkeys(name for row in details for name in row if name not in HIDDEN))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in columns)}</tr>" for row in details[:MOST_ROWS]
    )
    left_out = len(details) - MOST_ROWS
    more = f"<p class='soft'>{left_out} more are left out.</p>" if left_out > 0 else ""
    return (f'<details><summary>All {len(details)} details</summary><div class="wide"><table><tr>{head}</tr>{body}'
            f"</table></div>{more}</details>")  # fmt: skip


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return figure(round(value, 4))
    if isinstance(value, dict | list | tuple):
        return f"<code>{escape(json.dumps(value, ensure_ascii=False))}</code>"
    return escape(str(value))


def _conditions(record: Record) -> str:
    """Machine, versions and models: without them a figure says nothing."""
    parts = ['<section><h2>Conditions</h2><div class="wide">']
    for words, table in (
        ("Machine", record.machine),
        ("Versions", record.versions),
        ("Models, SHA-256", record.models),
    ):
        rows = "".join(
            f"<tr><td class='name'>{escape(name.replace('_', ' '))}</td><td><code>{escape(str(value))}</code></td></tr>"
            for name, value in table.items()
        )
        parts.append(f"<h3>{words}</h3><table>{rows or '<tr><td>none: starter engines ran</td></tr>'}</table>")
    return "".join(parts) + "</div></section>"
