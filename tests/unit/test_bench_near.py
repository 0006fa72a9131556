"""In: recordings beside the grammar as a recogniser may hear them. Out: what is wrong, right, asked back; calibration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.bench import near
from appliance.bench.pictures import pictures
from appliance.bench.result import SuiteResult
from appliance.errors import UsageError
from appliance.intents.interpretation import Interpretation, Question
from appliance.intents.recognise import REFUSAL
from appliance.settings.conversation import IntentSettings

DOOR = Interpretation("HassOpenCover", {"name": "Porch Door"}, text="open the porch door")
MEANINGS = {
    "open the porch door": DOOR,
    "don't open the porch door": Interpretation(REFUSAL, {"reason": "negated"}, text="don't open the porch door"),
    "set a timer": Interpretation("HassStartTimer", {}, text="set a timer"),
    "set a timer for 90 seconds": Interpretation("HassStartTimer", {"seconds": 90}, text="set a timer for 90 seconds"),
    "is the porch door open": Interpretation("HassGetState", {"name": "Porch Door"}, text="is the porch door open"),
}


class Known:
    """An interpreter that knows a few sentences."""

    def interpret(self, text: str) -> Interpretation | None:
        return MEANINGS.get(text)


def label(text: str, may: dict[str, Any] | None = None) -> near.NearLabel:
    return near._label(Path("1.flac"), {"text": text, "may": may})


def judged(what: near.NearLabel, heard: str, confidence: float = 0.9) -> dict[str, Any]:
    transcript = {"text": heard, "free_text": heard, "confidence": confidence, "complete": True, "alternatives": []}
    answer = {"transcript": transcript, "audio_s": 2.0, "cpu_s": 0.1, "final_ms": 5.0}
    return near.row(what, answer, Known(), IntentSettings())  # type: ignore[arg-type]


def test_what_was_not_said_and_is_done_is_wrong() -> None:
    row = judged(label("don't open the porch door"), "open the porch door")
    assert row["wrong"] and not row["right"]
    assert row["confused"] == ["don't open the porch door → open the porch door"]


@pytest.mark.parametrize(
    ("heard", "confidence"),
    [
        ("don't open the porch door", 0.9),
        ("open the porch door", 0.3),
        ("is the porch door open", 0.9),
        ("set a timer", 1.0),
    ],
)
def test_refusing_doubting_telling_and_asking_are_never_wrong(heard: str, confidence: float) -> None:
    assert not judged(label("don't open the porch door"), heard, confidence)["wrong"]


def test_timers_are_compared_by_their_length() -> None:
    may = {"intent": "HassStartTimer", "slots": {"minutes": 1, "seconds": 30}}
    row = judged(label("set a timer for a minute and a half", may), "set a timer for 90 seconds")
    assert row["right"] and not row["wrong"]


def test_a_question_back_does_nothing() -> None:
    asked = Interpretation("HassOpenCover", {}, question=Question("name", ("a", "b")))
    assert near.acts(DOOR) and not near.acts(asked)


def test_shares_are_of_all_and_of_what_may_be_done() -> None:
    may = {"intent": "HassOpenCover", "slots": {"name": "Porch Door"}}
    rows = [
        judged(label("open the porch door", may), "open the porch door"),
        judged(label("open the porch door please", may), ""),
        judged(label("don't open the porch door"), "open the porch door"),
        judged(label("don't open the porch door"), "don't open the porch door"),
    ]
    found = near.measures(rows)
    assert found["near.wrong_rate"] == 0.25 and found["near.right_of_possible"] == 0.5
    assert found["near.refused_rate"] == 0.25
    assert pictures(SuiteResult("near", len(rows), found, rows))


def test_calibration_error_is_the_distance_from_the_share_that_is_right() -> None:
    rows = [{"confidence": 0.9, "right_if_taken": right} for right in (True, False)]
    assert near.calibration_error(rows) == pytest.approx(0.4)
    assert near.calibration_error([]) is None


def test_the_halves_go_by_sentence_alone() -> None:
    assert {near.half(text) for text in MEANINGS} == {0, 1}
    assert near.half("set a timer") == near.half("set a timer")


def test_labels_are_read_or_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        near.read(tmp_path)
    (tmp_path / "labels.json").write_text(json.dumps({"1.flac": {"text": "x"}}))
    with pytest.raises(UsageError, match="not JSON of the form"):
        near.read(tmp_path)
    (tmp_path / "labels.json").write_text(json.dumps({"1.flac": {"text": "x", "may": None}}))
    assert [each.text for each in near.read(tmp_path)] == ["x"]
