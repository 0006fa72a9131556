"""In: judged measures. Out: percentiles side by side, kinds of data and missing parts in rows, nothing lost."""

from __future__ import annotations

from appliance.bench.record import Judged, Record
from appliance.bench.report import page
from appliance.bench.result import SuiteResult
from appliance.bench.tables import compared, times, worst

MEASURES: dict[str, float | None] = {
    "latency.response_ms.p50": 250.0,
    "latency.response_ms.p95": 5000.0,
    "latency.response_ms.p99": None,
    "latency.right_rate": 0.9,
    "latency.response_ms.p50@home": 240.0,
    "latency.right_rate@home": 0.95,
    "latency.without_flush.response_ms.p50": 400.0,
    "latency.without_flush.right_rate": 0.8,
    "latency.outside_later_ms.max": -4.0,
}


def rows() -> list[Judged]:
    return Record(SuiteResult("latency", 3, MEASURES), {}, {}).judged


def test_kinds_and_parts_become_rows_beside_the_whole() -> None:
    beside, rest = compared(rows())
    assert {name: {what: row.value for what, row in columns.items()} for name, columns in beside.items()} == {
        "all": {"response_ms.p50": 250.0, "right_rate": 0.9},
        "home": {"response_ms.p50": 240.0, "right_rate": 0.95},
        "without flush": {"response_ms.p50": 400.0, "right_rate": 0.8},
    }
    assert [row.name for row in rest] == [name for name in MEASURES if "@" not in name and "without" not in name]


def test_percentiles_of_a_time_stand_in_one_row_with_the_worst_verdict() -> None:
    stages, rest = times(compared(rows())[1])
    assert list(stages) == ["latency.response_ms"] and list(stages["latency.response_ms"]) == ["p50", "p95", "p99"]
    assert worst(stages["latency.response_ms"]) == "critical"
    assert [row.name for row in rest] == ["latency.right_rate", "latency.outside_later_ms.max"]


def test_one_measure_in_noise_is_no_comparison() -> None:
    measures: dict[str, float | None] = {"commands.right_rate": 0.9, "commands.right_rate@18db": 0.8}
    found = Record(SuiteResult("commands", 3, measures), {}, {}).judged
    assert compared(found) == ({}, found)


def test_the_page_holds_every_measure() -> None:
    text = page([Record(SuiteResult("latency", 3, MEASURES), {"cpu": "x", "cores": 1, "pi5_projection": "y"}, {})])
    for words in ("without flush", "95 %", "5000", "latency.right_rate", "−4", "null"):
        assert words in text, words
