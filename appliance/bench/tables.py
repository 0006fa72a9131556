"""In: judged measures. Out: what belongs together in one table of a report: percentiles of a time, rows of a comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from appliance.bench.record import Judged

LEVELS = ("p50", "p95", "p99")
VERDICTS = ("met", "warning", "critical")
_COMPARED = re.compile(r"^(?P<suite>\w+)\.(?:without_(?P<part>[a-z]+)\.)?(?P<what>[^@]+)(?:@(?P<kind>[a-z]+))?$")


def times(rows: Sequence[Judged]) -> tuple[dict[str, dict[str, Judged]], list[Judged]]:
    """Times by name with their percentiles, those of which there are at least p50 and p95; and what is left."""
    found: dict[str, dict[str, Judged]] = {}
    for row in rows:
        name, _, level = row.name.rpartition(".")
        if level in LEVELS:
            found.setdefault(name, {})[level] = row
    kept = {name: levels for name, levels in found.items() if len(levels) > 1}
    return kept, [row for row in rows if row.name.rpartition(".")[0] not in kept or not row.name.endswith(LEVELS)]


def compared(rows: Sequence[Judged]) -> tuple[dict[str, dict[str, Judged]], list[Judged]]:
    """What was measured alike for kinds of data or without a part, by that kind or part; and what is left."""
    found: dict[str, dict[str, Judged]] = {}
    left = []
    for row in rows:
        match = _COMPARED.match(row.name)
        if match is None or not (match["part"] or match["kind"]) or row.budget is not None:
            left.append(row)
        else:
            name = f"without {match['part']}" if match["part"] else str(match["kind"])
            found.setdefault(name, {})[match["what"]] = row
    if not any(len(columns) > 1 for columns in found.values()):
        return {}, list(rows)
    whole = {row.name.partition(".")[2]: row for row in rows}
    names = list(dict.fromkeys(what for columns in found.values() for what in columns))
    return {"all": {name: whole[name] for name in names if name in whole}, **found}, left


def worst(levels: dict[str, Judged]) -> str | None:
    """The worst verdict among the percentiles of one time."""
    verdicts = [row.verdict for row in levels.values() if row.verdict is not None]
    return max(verdicts, key=VERDICTS.index, default=None)


def heading(name: str, suite: str) -> str:
    """A measure's name without its suite, for the head of a table."""
    return escape(name.removeprefix(f"{suite}.").replace("_", " "))
