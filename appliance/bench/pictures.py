"""In: a suite's result. Out: the pictures of its report. A suite that is not named here gets its distributions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.bench import near
from appliance.bench.charts import bars, curves, distributions
from appliance.bench.result import SuiteResult
from appliance.bench.understood import drawings, trade_and_spread
from appliance.bench.waterfall import waterfall
from appliance.events import MEASURES_MS

WORST = 3
UNITS = {"_ms": "ms", "_s": "s", "_mb": "MB"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, its heading, and what to see in it."""

    heading: str
    svg: str
    caption: str = ""


def pictures(result: SuiteResult) -> list[Picture]:
    """All pictures that the details allow."""
    draw = PICTURES.get(result.suite, _spread)
    return [picture for picture in draw(result) if picture is not None]


def _spread(result: SuiteResult) -> list[Picture | None]:
    """One distribution a unit, of every number that the details hold."""
    found: list[Picture | None] = []
    for ending, unit in UNITS.items():
        names = {
            name for row in result.details for name, value in row.items() if name.endswith(ending) and _number(value)
        }
        rows = {name: [row[name] for row in result.details if _number(row.get(name))] for name in sorted(names)}
        found.append(_picture(f"Distributions ({unit})", distributions(rows, unit), _SPREAD_CAPTION))
    return found


def _latency(result: SuiteResult) -> list[Picture | None]:
    fed = [row for row in result.details if not row.get("outside")]
    whole = [row for row in fed if row.get("without") is None]
    timed = sorted((row for row in whole if _number(row["ms"].get("response"))), key=lambda row: row["ms"]["response"])
    found: list[Picture | None] = []
    middle = (len(timed) - 1) // 2
    if timed:
        found.append(_turn("The median turn", timed[middle]))
    found.append(
        _picture(
            "Every stage of every turn",
            distributions({name: _values(whole, name) for name in MEASURES_MS}, "ms"),
            _SPREAD_CAPTION,
        )
    )
    found += [_turn("One of the worst turns", row) for row in reversed(timed[middle + 1 :][-WORST:])]
    found.append(_parts(fed))
    return found


def _turn(heading: str, row: dict[str, Any]) -> Picture | None:
    words = f"{row['file']}: “{row.get('transcript') or '–'}”, {row['ms']['response']:.0f} ms to the first sample."
    return _picture(heading, waterfall(row), f"{words} 0 is the last sample of speech; dots are partial texts.")


def _parts(details: list[dict[str, Any]]) -> Picture | None:
    """Response times with each part switched off, where that was asked for."""
    names = list(dict.fromkeys(row.get("without") for row in details))
    if len(names) < 2:
        return None
    rows = {
        "all parts" if name is None else f"without {name}": _values(
            [row for row in details if row.get("without") == name], "response"
        )
        for name in names
    }
    return _picture("What each part is worth: response", distributions(rows, "ms"), _SPREAD_CAPTION)


def _values(rows: list[dict[str, Any]], name: str) -> list[float]:
    return [row["ms"][name] for row in rows if _number(row["ms"].get(name))]


def _wake(result: SuiteResult) -> list[Picture | None]:
    late, scores = dict[str, list[float]](), dict[str, list[float]]()
    for row in result.details:
        level = "clean" if row.get("snr_db") is None else f"{row['snr_db']:g} dB"
        heard, near = row["heard"], row["near"]
        if row["positive"]:
            late.setdefault(level, []).extend(1000 * (hit["at_s"] - row["end_s"]) for hit in heard[:1])
            scores.setdefault(f"taken, {level}", []).extend(hit["score"] for hit in heard[:1])
        kind = "word missed" if row["positive"] else "other speech"
        scores.setdefault(f"near, {kind}", []).extend(miss["score"] for miss in near)
    return [
        _picture("Wake event after the end of the word", distributions(late, "ms"), _SPREAD_CAPTION),
        _picture("Scores", distributions(scores, "score"), _SPREAD_CAPTION),
    ]


def _commands(result: SuiteResult) -> list[Picture | None]:
    return [_picture(*drawn) for drawn in drawings(result.details)]


def _near(result: SuiteResult) -> list[Picture | None]:
    rows = near.reliability(result.details)
    lines = {"readings": [(sure, 100 * right) for sure, right, _ in rows], "calibrated": [(0.0, 0.0), (1.0, 100.0)]}
    return [
        _picture("Done instead of what was said", bars(near.confusions(result.details), "times", 330.0, whole=True)),
        _picture("Reliability", curves(lines, "confidence", "% right", 0.0) if rows else None, _RELIABILITY_CAPTION),
        *(_picture(*drawn) for drawn in trade_and_spread(result.details)),
    ]


def _idle(result: SuiteResult) -> list[Picture | None]:
    def of(name: str) -> dict[str, float]:
        return {row["process"]: row[name] for row in result.details if _number(row.get(name))}

    cpu = {process: 100 * value for process, value in of("cpu_ratio").items()}
    return [
        _picture("Processor, by process", bars(cpu, "% of a core")),
        _picture("Memory (PSS), by process", bars(of("pss_mb"), "MB")),
    ]


def _startup(result: SuiteResult) -> list[Picture | None]:
    rows = {name.removeprefix("startup."): value for name, value in result.measures.items() if value is not None}
    return [_picture("From exec to ready, medians", bars(rows, "s"))]


def _picture(heading: str, svg: str | None, caption: str = "") -> Picture | None:
    return None if svg is None else Picture(heading, svg, caption)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_SPREAD_CAPTION = "A dot is one value, the thick line the median, the thin red one the 95th percentile."
_RELIABILITY_CAPTION = "Readings by tenths of confidence: the share that is right, against the confidence itself."

PICTURES: dict[str, Callable[[SuiteResult], list[Picture | None]]] = {
    "wake": _wake,
    "commands": _commands,
    "near": _near,
    "latency": _latency,
    "idle": _idle,
    "startup": _startup,
}
