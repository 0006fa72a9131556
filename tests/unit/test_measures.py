"""In: counters and turns by hand. Out: every budget of MEASURES.md is watched, and what is missing is null."""

from __future__ import annotations

import re

import pytest

from appliance.events import Outcome, TurnRecord
from appliance.telemetry.metrics.board_sensors import Roots
from appliance.telemetry.metrics.budgets import BUDGETS
from appliance.telemetry.metrics.counts import Counts
from appliance.telemetry.metrics.faults import FAULTS
from appliance.telemetry.metrics.measures import LABELLED, Looker, Measures, pids
from appliance.telemetry.metrics.meter import Cost
from appliance.telemetry.metrics.processes import Use
from appliance.telemetry.metrics.rates import Rate
from appliance.telemetry.metrics.windows import Turns
from tests.shared import SHARED, needs_shared
from tests.telemetry import PlayedDevice

NAMES = {budget.name for budget in BUDGETS}


def _values(played: PlayedDevice) -> dict[str, float | None]:
    look = Looker(Roots(), 0.0).look(pids(played.engines()))
    return Measures(Turns(10)).values(look, look.at_s, played, 0, 0, 0.0)


def test_every_budget_is_watched_or_needs_a_label() -> None:
    values = _values(PlayedDevice())
    assert set(values) == (NAMES - LABELLED) | {fault.name for fault in FAULTS} - {"agreed_ms"}, (
        "that one is of the claims"
    )
    assert NAMES >= LABELLED


@needs_shared
def test_every_row_of_measures_has_a_budget() -> None:
    """Names of the first table stand as they are; the rows of the second by what they are called there."""
    text = (SHARED / "MEASURES.md").read_text(encoding="utf-8")
    stages = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert len(stages) >= 12 and stages <= NAMES
    resources = {
        "CPU, average while idle-listening": {"cpu_idle_ratio", "cpu_wake_ratio"}, "CPU, voice": {"cpu_voice_ratio"},
        "CPU, background": {"cpu_background_ratio"}, "memory (PSS": {"memory_idle_mb"}, "memory, peak": {"memory_peak_mb"},
        "memory growth": {"memory_growth_mb_per_hour"}, "disk writes": {"disk_writes_mb_per_hour"},
        "network": {"network_mbit_s"}, "file descriptors": {"descriptors", "threads"},
        "STT model": {"stt_model_mb", "tts_voice_mb"}, "TTS cache": {"tts_cache_hit_rate", "tts_cache_mb"},
        "uptime": {"uptime_share", "error_rate"},
    }  # fmt: skip
    table = text[text.index("| resource |") : text.index("| quality |")]
    rows = [line[2:] for line in table.splitlines()[2:] if line.startswith("| ")]
    assert [row for row in rows if not any(row.startswith(known) for known in resources)] == []
    assert set().union(*resources.values()) <= NAMES - LABELLED


def test_what_the_parts_count_is_judged() -> None:
    played = PlayedDevice()
    played.led, played.lookups = [4.0, 5.0, 6.0, 7.0, 60.0], (15, 20)
    played.counters = {
        "sound": {"capture_ms": 12.5, "front_end_ms": 0.4},
        "stt": {"bare_mb": 70.0},
        "tts": {"bare_mb": 60.0, "cache_hits": 27.0, "cache_misses": 30.0, "warmed": 24.0, "cache_bytes": 2e6,
                "speech_s": 20.0, "synthesis_s": 1.0},
    }  # fmt: skip
    uses = {name: Use(0.0, 1.0, 100.0, 1, 1, None) for name in ("stt", "tts")}
    values = Counts().values(played, uses)
    assert values == {
        "capture_ms": 12.5, "front_end_ms": 0.4, "cpu_wake_ratio": None, "led_ms": pytest.approx(49.4),
        "stt_model_mb": 30.0, "tts_voice_mb": 40.0, "tts_rtf": 0.05, "tts_cache_mb": 2.0,
        "tts_cache_hit_rate": pytest.approx(27 / 33), "intent_cache_hit_rate": 0.75, "engines_down": 0.0,
    }  # fmt: skip


def test_too_little_is_null_and_never_zero() -> None:
    played = PlayedDevice()
    played.led, played.lookups, played.counters = [4.0], (1, 2), {"tts": {"cache_hits": 3.0, "speech_s": 2.0}}
    values = Counts().values(played, {})
    assert {name for name, value in values.items() if value is not None} == {"engines_down"}


def test_wake_words_cost_is_by_audio_and_survives_a_new_engine() -> None:
    played, counts = PlayedDevice(), Counts()

    def after(audio_s: float, cpu_s: float) -> float | None:
        played.counters = {"sound": {"frames": audio_s * 16000, "wake_cpu_s": cpu_s}}
        return counts.values(played, {})["cpu_wake_ratio"]

    assert after(10.0, 1.0) is None and after(70.0, 1.3) == pytest.approx(0.005)
    assert after(5.0, 0.1) is None, "the engine was replaced: it counts from its own start"
    assert after(65.0, 0.7) == pytest.approx(0.01)


def test_a_rate_is_of_the_last_minute() -> None:
    rate = Rate()
    given = [rate.add(float(s), 1000.0 if s < 60 else 1000.0 + (s - 60) * 2) for s in range(0, 200, 10)]
    assert given[:3] == [None, None, None] and given[3] == 0.0 and given[-1] == pytest.approx(2.0)


def test_speech_out_of_the_cache_is_judged_by_itself() -> None:
    turns = Turns(50)
    for number in range(12):
        record = TurnRecord(
            turn=str(number), outcome=Outcome.ANSWERED, cause="wake", cached=number % 2 == 0,
            ms={"tts_first": 8.0 if number % 2 == 0 else 120.0},
        )  # fmt: skip
        turns.add(record)
    judged = turns.judged()
    assert judged["tts_cached_first_ms.p95"] == 8.0 and judged["tts_first_ms.p95"] == 120.0


def test_work_within_work_is_counted_once() -> None:
    cost = Cost()
    with cost:
        with cost:
            inner = sum(range(200_000))
        before = cost.seconds
        inner += sum(range(200_000))
    assert before == 0.0 < cost.seconds and inner
