"""In: results of suites. Out: one page that stands alone, is well formed, and believes no word that it is given."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as xml
from typing import Any

import pytest

from appliance.bench.charts import bars, curves, distributions
from appliance.bench.draw import Scale, figure
from appliance.bench.pictures import pictures
from appliance.bench.record import Record
from appliance.bench.report import page
from appliance.bench.result import SuiteResult
from tests.unit.test_bench_latency import turn

EVIL = "<script>alert('x')</script>"
MACHINE = {"cpu": EVIL, "cores": 2, "pi5_projection": "a core 3 times slower"}


def _record(suite: str, measures: dict[str, float | None], details: list[dict[str, Any]], **rest: Any) -> Record:
    return Record(
        SuiteResult(suite, len(details), measures, details, **rest), MACHINE, {"numpy": "2"}, {"m": "ab" * 32}
    )


def _page() -> str:
    played = [turn(100.0, 200.0), turn(300.0, 450.0)]
    return page(
        [
            _record(
                "latency", {"latency.response_ms.p50": 325.0, "latency.wake_ms.p50": None}, [t.row() for t in played]
            ),
            _record("idle", {"idle.cpu_ratio": 0.02}, [{"process": EVIL, "cpu_ratio": 0.02, "pss_mb": None}]),
            _record("tts", {"tts.rtf": 0.5}, [{"text": EVIL, "first_ms": 12.5}], notes=(EVIL,)),
        ]
    )


def test_page_stands_alone() -> None:
    text = _page()
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?:", text)
    assert "prefers-color-scheme: dark" in text
    assert "$" not in text


def test_every_picture_is_well_formed() -> None:
    drawings = re.findall(r"<svg.*?</svg>", _page(), re.DOTALL)
    assert len(drawings) >= 5
    for drawing in drawings:
        xml.fromstring(drawing)


def test_foreign_words_stay_words() -> None:
    text = _page()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_missing_values_are_shown_as_missing() -> None:
    assert '<span class="null">null</span>' in _page()


def test_verdicts_and_projection_stand_beside_the_figures() -> None:
    text = _page()
    assert 'class="v critical">critical' in text  # tts.rtf
    assert "0.06" in text  # idle.cpu_ratio on a Pi 5 core


def test_record_is_the_object_of_the_command_line() -> None:
    record = _record("idle", {"idle.cpu_ratio": 0.25, "idle.pss_mb": None, "idle.other": float("nan")}, [])
    table = json.loads(json.dumps(record.table(), allow_nan=False))
    assert table["measures"] == {"idle.cpu_ratio": 0.25, "idle.pss_mb": None, "idle.other": None}
    assert table["budgets"]["idle.cpu_ratio"] == {"target": 0.2, "verdict": "warning"}
    assert table["budgets"]["idle.pss_mb"] == {"target": 512, "verdict": None}
    assert set(table) >= {"suite", "n", "measures", "budgets", "machine", "versions", "models"}


def test_nothing_to_draw_is_no_picture() -> None:
    assert distributions({"a": []}, "ms") is None
    assert bars({}, "ms") is None
    assert curves({"a": []}, "dB", "%") is None


def test_one_value_and_equal_values_can_be_drawn() -> None:
    for drawing in (
        distributions({"a": [5.0]}, "ms"),
        bars({"a": 0.0}, "ms"),
        curves({"a": [(6, 1), (12, 1)]}, "dB", "%"),
    ):
        assert drawing is not None and "nan" not in drawing
        xml.fromstring(drawing)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 1234), (-700, 980), (0.001, 0.004), (5, 5.00001)])
def test_ticks_are_few_and_on_the_line(low: float, high: float) -> None:
    ticks = Scale(low, high).ticks()
    assert 2 <= len(ticks) <= 12
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (1500.4, "1500"), (-50.0, "−50"), (12.345, "12.35"), (0.05, "0.05"), (0.002, "0.002")],
)
def test_figures_for_people(value: float, words: str) -> None:
    assert figure(value) == words


def test_commands_are_drawn_over_noise_and_confidence() -> None:
    def row(
        right: bool, snr_db: float | None, confidence: float | None, wanted: str | None = "order"
    ) -> dict[str, Any]:
        return {"right": right, "snr_db": snr_db, "confidence": confidence, "wanted": wanted}

    noisy = [row(True, 24.0, 0.9), row(True, 6.0, 0.7), row(False, 6.0, 0.3), row(True, 6.0, 0.1, None)]
    drawn = pictures(SuiteResult("commands", 4, {}, noisy))
    headings = [picture.heading for picture in drawn]
    assert headings == ["Right over noise", "Accepting and refusing", "Foreign speech refused, by kind", "Confidence"]
    assert "24 dB SNR, 100 % right" in drawn[0].svg and "6 dB SNR, 50 % right" in drawn[0].svg
    for picture in drawn:
        xml.fromstring(picture.svg)
    clean = pictures(SuiteResult("commands", 1, {}, [row(True, None, None)]))
    assert clean == []
