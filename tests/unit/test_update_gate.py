"""In: what was seen before and after an update. Out: the gate's reasons: what was green must be green."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.update.gate import Seen, SelfTurn, ServiceState, judge_growth, judge_look, judge_seen
from appliance.update.service import GateSettings, doctor_of, look_of, turn_of
from appliance.update.version import is_version, key, newer

GREEN = ServiceState(True, 0, True, "hearing", True, {"sound": True, "stt": True, "tts": True}, frozenset(), 90.0)
SEEN = Seen(GREEN, {"card": "ok", "spi": "wrong", "clock": "warning"}, SelfTurn("answered", 700.0, 1.2))


def test_nothing_worse_is_no_reason() -> None:
    assert judge_look(GREEN, GREEN) == [] and judge_seen(SEEN, SEEN) == []


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(GREEN, active=False), "does not start"),
        (replace(GREEN, restarts=1), "restarted 1 times"),
        (replace(GREEN, answers=False), "control socket"),
        (replace(GREEN, hearing="deaf"), "deaf"),
        (replace(GREEN, engines={"sound": True, "stt": False, "tts": True}), "stt engine is not ready"),
        (replace(GREEN, engines={"sound": True, "stt": True}), "tts engine is gone"),
        (replace(GREEN, connected=False), "lost the broker"),
        (replace(GREEN, critical=frozenset({"cpu"})), "budget cpu"),
    ],
)
def test_each_loss_is_a_reason(now: ServiceState, reason: str) -> None:
    assert len(found := judge_look(GREEN, now)) == 1 and reason in found[0]


def test_what_was_wrong_before_is_no_reason() -> None:
    before = replace(GREEN, hearing="deaf", connected=False, critical=frozenset({"cpu"}), engines={"sound": False})
    assert judge_look(before, before) == []
    silent = Seen(before, {"card": "wrong"}, SelfTurn("no_speech"))
    assert judge_seen(silent, silent) == []


def test_a_first_installation_must_start_hear_and_have_its_engines() -> None:
    assert judge_look(None, GREEN) == []
    assert judge_look(None, replace(GREEN, hearing="deaf")) == ["it is deaf"]
    assert judge_look(None, replace(GREEN, engines={"stt": False})) == ["its stt engine is not ready"]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(SEEN, doctor={**SEEN.doctor, "card": "wrong"}), "'card' wrong, which was ok"),
        (replace(SEEN, doctor={"spi": "wrong", "clock": "warning"}), "no longer has the check 'card'"),
        (replace(SEEN, turn=SelfTurn("failed")), "ended with 'failed'"),
        (replace(SEEN, turn=None), "ended with 'nothing'"),
        (replace(SEEN, turn=SelfTurn("answered", 700.0, 0.0)), "silent"),
        (replace(SEEN, turn=SelfTurn("answered", 3700.0, 1.2)), "after 3700 ms, 700 ms before"),
    ],
)
def test_doctor_and_turn(now: Seen, reason: str) -> None:
    assert len(found := judge_seen(SEEN, now)) == 1 and reason in found[0]


def test_a_little_slower_is_not_slow() -> None:
    assert judge_seen(SEEN, replace(SEEN, turn=SelfTurn("answered", 1499.0, 1.2))) == []


def test_memory_that_grows() -> None:
    assert judge_growth([90.0] * 10 + [None] + [100.0] * 5) == []
    assert judge_growth([90.0, 91.0, 100.0, 120.0, 140.0, 160.0]) != []
    assert judge_growth([None, None, 500.0]) == [], "too little is known"


@pytest.mark.parametrize("status", [None, {}, {"engines": []}, {"engines": {"stt": 1}, "telemetry": 5}])
def test_a_strange_status_never_counts_as_green(status: dict[str, object] | None) -> None:
    assert judge_look(GREEN, look_of(status, 0, None)) != []


@pytest.mark.parametrize("text", ["", "{", "[1, 2", '{"outcome": 3}', "[]", '"answered"'])
def test_rubbish_for_a_turn_and_a_doctor(text: str) -> None:
    assert turn_of(text) is None and doctor_of(text) == {}


def test_settings_out_of_range_keep_their_defaults() -> None:
    assert GateSettings.of({"start_s": 1e9, "watch_s": True, "turn_s": "x", "aloud": 1}) == GateSettings()
    assert GateSettings.of({"watch_s": 30}).watch_s == 30.0 and GateSettings.of(None) == GateSettings()


@pytest.mark.parametrize("text", ["", "1", "1.2", "../1.2.3", "1.2.3/x", "1.2.3\n", "v1.2.3", "1.2.3+", 5, None])
def test_what_is_no_version(text: object) -> None:
    assert not is_version(text)


def test_the_order_of_versions() -> None:
    order = ["0.9.10", "1.0.0a1", "1.0.0rc2", "1.0.0rc10", "1.0.0", "1.0.0+x", "1.0.0+2", "1.0.0+10", "1.0.1", "1.10.0"]
    assert sorted(set(order), key=key) == order
    assert newer("1.10.0", "1.9.9") and not newer("1.0.0", "1.0.0")
