"""In: constructed turns. Out: the measures of the suite `latency`: times, cut-offs, what was right, nulls with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.bench.labels import Label, read_labels
from appliance.bench.latency import LabelledTurn, judged
from appliance.bench.outside import Outside
from appliance.bench.pictures import pictures
from appliance.errors import UsageError
from appliance.events import Mark, Outcome, TurnRecord
from appliance.replay.player import Played
from appliance.replay.recording import Recording


def turn(
    endpoint_ms: float | None,
    response_ms: float | None = 300.0,
    intent: str | None = "HassStartTimer",
    end_of_speech_s: float | None = 1.0,
    without: str | None = None,
    prepared: str | None = None,
    wasted: int = 0,
) -> LabelledTurn:
    """A turn whose recording asks for a timer of five minutes."""
    label = Label(Path("timer.flac"), "five minutes", "HassStartTimer", {"minutes": 5}, end_of_speech_s)
    marks = () if endpoint_ms is None else (Mark("listen", 0.0, 1000.0 + endpoint_ms), Mark("stt", 1200.0, 1210.0))
    record = TurnRecord(
        turn="t", outcome=Outcome.ANSWERED if intent else Outcome.NO_SPEECH, cause="button", transcript="five <minutes>",
        intent=intent, slots={"minutes": 5}, ms={"endpoint": endpoint_ms, "response": response_ms, "wake": None},
        marks=marks, partials=((900.0, "five"),), prepared=prepared, wasted=wasted,
    )  # fmt: skip
    recording = Recording(label.file, np.zeros(16000, np.int16), end_of_speech_s)
    return LabelledTurn(label, Played(recording, record), without)


def test_times_and_rates() -> None:
    result = judged([turn(100.0, 200.0), turn(300.0, 400.0), turn(-20.0, 100.0), turn(None, None, intent=None)])
    assert result.n == 4
    assert result.measures["latency.endpoint_ms.p50"] == 100.0
    assert result.measures["latency.response_ms.p95"] == 380.0
    assert result.measures["latency.cut_off_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert result.measures["latency.right_rate"] == 0.75


def test_a_stage_that_never_ran_is_null_and_named() -> None:
    result = judged([turn(100.0)])
    assert result.measures["latency.wake_ms.p50"] is None
    assert any("wake" in note and "Null" in note for note in result.notes)


def test_unmarked_ends_count_as_cut_off_only_with_harm() -> None:
    assert turn(-50.0, end_of_speech_s=1.0).cut_off
    assert not turn(-50.0, end_of_speech_s=None).cut_off
    assert turn(-50.0, end_of_speech_s=None, intent="HassGetState").cut_off


def test_a_part_switched_off_stands_beside_the_whole() -> None:
    result = judged([turn(100.0, 200.0), turn(500.0, 700.0, without="flush")])
    assert result.n == 1
    assert result.measures["latency.response_ms.p50"] == 200.0
    assert result.measures["latency.without_flush.response_ms.p50"] == 700.0
    assert "What each part is worth: response" in [picture.heading for picture in pictures(result)]


def test_replies_prepared_ahead_are_counted_with_those_thrown_away() -> None:
    hit, spoilt = turn(100.0, prepared="hit", wasted=2), turn(100.0, prepared="waste", wasted=1)
    measures = judged([hit, spoilt, turn(100.0), turn(None, None, intent=None)]).measures
    assert measures["latency.prepared_hit_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert measures["latency.prepared_waste_rate"] == 0.75


def test_what_was_heard_from_outside_stands_beside_the_programs_own_figure() -> None:
    label = Label(Path("timer.flac"), "five minutes", "HassStartTimer", {}, 1.0)
    heard = [Outside(label, None, 310.0, 4.0), Outside(label, None, 330.0, -6.0), Outside(label, None, None, None)]
    result = judged([turn(100.0)], heard)
    assert result.measures["latency.outside_response_ms.p50"] == 320.0
    assert result.measures["latency.outside_later_ms.p50"] == -1.0
    assert result.measures["latency.outside_later_ms.max"] == -6.0
    assert pictures(result)


def test_the_waterfall_lies_on_the_recordings_time_line() -> None:
    row = turn(200.0).row()
    assert row["speech_end_ms"] == 1000.0
    assert next(picture for picture in pictures(judged([turn(200.0)])) if "waits 200 ms" in picture.svg)


@pytest.mark.parametrize(
    ("slots", "right"),
    [({"minutes": 5}, True), ({"minutes": "5.0", "name": "tea"}, True), ({"minutes": 15}, False), ({}, False)],
)
def test_right_means_every_labelled_slot(slots: dict[str, Any], right: bool) -> None:
    label = Label(Path("a"), None, "HassStartTimer", {"minutes": 5}, None)
    assert label.right("HassStartTimer", slots) is right
    assert not label.right(None, slots)


def test_words_are_compared_stripped() -> None:
    assert Label(Path("a"), None, "order", {"size": "large"}, None).right("order", {"size": " Large "})
    assert not Label(Path("a"), None, "order", {"drink": "ice"}, None).right("order", {"drink": "iced"})


def test_what_must_be_refused_is_right_when_refused() -> None:
    oov = Label(Path("oov"), None, None, {}, None)
    assert oov.right(None, {})
    assert not oov.right("HassTurnOn", {})


def test_unusable_labels_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"labels\.json cannot be read"):
        read_labels(tmp_path)
    for text in ("[]", "{", '{"a.wav": 3}', json.dumps({})):
        (tmp_path / "labels.json").write_text(text)
        with pytest.raises(UsageError, match=r"labels\.json"):
            read_labels(tmp_path)
