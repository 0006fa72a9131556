"""In: values, files and time by hand. Out: windows, slope, alerts, outbox and board do what they say."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import SettingsError
from appliance.events import Hearing, Outcome, TurnRecord
from appliance.settings import load
from appliance.telemetry.metrics.alerts import Alerts, well_within
from appliance.telemetry.metrics.board_sensors import Roots, look, model
from appliance.telemetry.metrics.budget import Severity
from appliance.telemetry.metrics.budgets import BUDGETS
from appliance.telemetry.metrics.faults import FAULTS
from appliance.telemetry.metrics.slope import Slope
from appliance.telemetry.metrics.windows import Turns, percentile, spread
from appliance.telemetry.mqtt.messages import turn_body
from appliance.telemetry.mqtt.outbox import Keep, Outbox, encode
from tests.telemetry import PlayedDevice

BY_NAME = {budget.name: budget for budget in BUDGETS + FAULTS}

# -- windows, slope -----------------------------------------------------------------------------------------------------


def test_percentiles_lie_between_ranks() -> None:
    assert percentile([10.0], 0.95) == 10.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert spread([]) == {"p50": None, "p95": None, "p99": None, "n": 0}


def test_window_slides_and_names_what_is_missing() -> None:
    turns = Turns(3)
    for number in range(10):
        outcome = Outcome.FAILED if number == 0 else Outcome.ANSWERED
        turns.add(TurnRecord(turn=str(number), outcome=outcome, cause="wake", ms={"stt": float(number)}))
    assert turns.times()["stt"] == {"p50": 8.0, "p95": 8.9, "p99": 9.0, "n": 3}
    assert turns.times()["play"]["p50"] is None
    assert turns.total == 10 and turns.outcomes["failed"] == 1
    assert turns.judged() == {}, "three turns are judged by nobody"


def test_slope_finds_a_leak_and_stays_calm_over_noise() -> None:
    import random

    chance = random.Random(1)
    leak, calm = Slope(), Slope()
    for minute in range(120):
        leak.add(minute * 60.0, 300.0 + minute * 0.2 + chance.gauss(0, 1))
        calm.add(minute * 60.0, 300.0 + chance.gauss(0, 5))
    found, nothing = leak.growth(), calm.growth()
    assert found is not None and nothing is not None
    assert found.low < 12.0 < found.high and found.low > 11.0
    assert nothing.low < 0.0 < nothing.high


def test_slope_says_nothing_of_ten_minutes() -> None:
    slope = Slope()
    for second in range(0, 600, 10):
        slope.add(float(second), 1.0 * second)
    assert slope.growth() is None


# -- alerts -------------------------------------------------------------------------------------------------------------


def _course(name: str, values: list[float]) -> list[str]:
    """What becomes known of a course of values."""
    alerts = Alerts(BUDGETS + FAULTS)
    told = []
    for value in values:
        told += [change.alert.severity.value if change.alert else "healed" for change in alerts.look({name: value})]
    return told


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("threads", [60, 60], []),
        ("threads", [60, 60, 60, 60], ["P2"]),
        ("threads", [60, 40, 60, 40, 60, 40], []),
        ("threads", [60, 60, 60, 48, 48, 48, 48], ["P2"]),
        ("threads", [60, 60, 60, 44, 44, 44], ["P2", "healed"]),
        ("threads", [60, 60, 60, 90, 60, 60, 60], ["P2", "P1", "P2"]),
        ("response_ms", [5000], ["P0"]),
        ("memory_growth_mb_per_hour", [6, 6, 6], ["P1"]),
        ("undervoltage", [1, 1, 1, 0, 0, 0], ["P1", "healed"]),
        ("deaf_s", [11, 0, 0, 0], ["P0", "healed"]),
        ("tts_cache_hit_rate", [0.7, 0.7, 0.7, 0.95, 0.95, 0.95], ["P3", "healed"]),
        ("uptime_share", [0.99, 0.99, 0.99, 1.0, 1.0, 1.0], ["P3", "healed"]),
    ],
)
def test_hysteresis(name: str, values: list[float], told: list[str]) -> None:
    assert _course(name, values) == told


@pytest.mark.parametrize("budget", BUDGETS + FAULTS, ids=lambda budget: budget.name)
def test_every_alert_can_heal(budget: object) -> None:
    """For each budget there is a value that ends its alert: the best one its unit has."""
    known = BY_NAME[budget.name]  # type: ignore[attr-defined]
    best = 0.0 if known.direction.value == "at most" else (1.0 if known.unit == "share" else 1e9)
    assert known.severity(best) is None and well_within(known, best)


def test_missing_values_change_nothing() -> None:
    alerts = Alerts(BUDGETS)
    for _ in range(3):
        alerts.look({"threads": 90.0})
    assert alerts.look({"threads": None}) == [] and alerts.look({}) == []
    assert alerts.holding()["threads"].severity is Severity.P1


# -- outbox -------------------------------------------------------------------------------------------------------------


def test_oldest_metrics_go_first_and_alerts_never() -> None:
    box = Outbox(10, 10**6, "0" * 8)
    for number in range(6):
        box.put("metrics", "m", {"n": number})
    for kind in ("alert", "button", "turn"):
        for number in range(3):
            box.put(kind, kind, {"n": number})
    kept = [(entry.kind, entry.body["n"]) for entry in box.waiting()]
    assert kept == [("metrics", 5)] + [(kind, n) for kind in ("alert", "button", "turn") for n in range(3)]
    assert box.dropped == {"metrics": 5}
    for number in range(20):
        box.put("alert", f"a{number}", {"n": number})
    kept = [entry for entry in box.waiting() if entry.kind == "alert"]
    assert {entry.topic for entry in kept} >= {f"a{number}" for number in range(20)}, "an alert is never dropped"
    assert box.dropped["turn"] == box.dropped["button"] == 3


def test_an_alert_that_changes_for_days_stays_bounded() -> None:
    box = Outbox(10, 10**6, "0" * 8)
    for number in range(1000):
        box.put("alert", f"a{number % 3}", {"n": number})
    kept = list(box.waiting())
    assert len(kept) == 10 and {entry.body["n"] for entry in kept} >= {997, 998, 999}
    assert box.dropped == {"alert": 990}


def test_bytes_are_bounded() -> None:
    box = Outbox(1000, 5000, "0" * 8)
    for _ in range(100):
        box.put("turn", "t", {"x": "y" * 500})
    assert box.bytes <= 5000 and box.dropped["turn"] > 80
    for entry in list(box.waiting()):
        box.done(entry.seq)
    assert box.bytes == 0


@given(st.lists(st.sampled_from(["put", "done", "doubt"]), max_size=60))
def test_order_is_kept_whatever_happens(moves: list[str]) -> None:
    box = Outbox(1000, 10**6, "0" * 8)
    for move in moves:
        if move == "put":
            box.put("turn", "t", {})
        elif move == "doubt":
            box.doubt()
        elif (entry := box.next()) is not None:
            box.done(entry.seq)
        numbers = [entry.seq for entry in box.waiting()]
        assert numbers == sorted(set(numbers))


def test_only_the_durable_come_back_and_keep_ids_and_times(tmp_path: Path) -> None:
    box, keep = Outbox(100, 10**6, "a" * 8), Keep(tmp_path / "o.sqlite")
    for kind in ("metrics", "turn", "event", "alert", "button"):
        box.put(kind, f"topic/{kind}", {"kind": kind}, retain=kind == "alert")
    times = {entry.kind: entry.dated()["at"] for entry in box.waiting()}
    keep.save(box.waiting())
    again = Keep(tmp_path / "o.sqlite")
    back = {entry.kind: entry for entry in again.load()}
    assert set(back) == {"turn", "alert", "button"} and back["alert"].retain
    assert back["turn"].body["id"] == "aaaaaaaa-2" and abs(back["turn"].body["at"] - times["turn"]) < 0.01
    newer = Outbox(100, 10**6, "b" * 8)
    newer.restore(back.values())
    assert newer.put("turn", "t", {}).seq > max(entry.seq for entry in back.values())
    again.save([])
    assert Keep(tmp_path / "o.sqlite").load() == []


def test_the_file_is_bounded_as_the_outbox_is(tmp_path: Path) -> None:
    """A broker that is away for weeks: count and bytes hold on disk too, and what was delivered gives its room back."""
    box, keep = Outbox(5000, 500_000, "a" * 8), Keep(tmp_path / "o.sqlite")
    for number in range(3000):
        box.put("turn", "appliance/kitchen/turn", {"turn": f"t{number}", "ms": {"stt": 12.5, "response": 250.0}})
        if number % 1000 == 999:
            keep.save(box.waiting())
    assert box.bytes <= 500_000 and box.dropped["turn"] == 3000 - len(box)
    assert (tmp_path / "o.sqlite").stat().st_size < 1_000_000
    assert [entry.seq for entry in Keep(tmp_path / "o.sqlite").load()] == [entry.seq for entry in box.waiting()]
    keep.save([])
    assert (tmp_path / "o.sqlite").stat().st_size < 20_000


@pytest.mark.parametrize("content", [b"", b"rubbish" * 1000])
def test_a_broken_file_stops_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "o.sqlite").write_bytes(content)
    keep, box = Keep(tmp_path / "o.sqlite"), Outbox(100, 10**6, "a" * 8)
    assert keep.load() == []
    box.put("turn", "t", {})
    keep.save(box.waiting())
    assert len(Keep(tmp_path / "o.sqlite").load()) == 1


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    box = Outbox(100, 10**6, "a" * 8)
    box.put("turn", "t", {})
    keep = Keep(tmp_path / "missing" / "o.sqlite")
    keep.save(box.waiting())
    assert keep.complained


def test_a_healthy_day_writes_nothing(tmp_path: Path) -> None:
    box, keep = Outbox(100, 10**6, "a" * 8), Keep(tmp_path / "o.sqlite")
    box.done(box.put("turn", "t", {}).seq)
    keep.save(box.waiting())
    assert not (tmp_path / "o.sqlite").exists()


def test_a_broken_row_is_no_row(tmp_path: Path) -> None:
    box, keep = Outbox(100, 10**6, "a" * 8), Keep(tmp_path / "o.sqlite")
    box.put("turn", "t", {})
    keep.save(box.waiting())
    with sqlite3.connect(tmp_path / "o.sqlite") as db:
        db.execute("UPDATE outbox SET body = 'no json'")
    assert Keep(tmp_path / "o.sqlite").load() == []


def test_no_infinity_leaves_the_device() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"x": float("nan")})


# -- privacy, board, settings -----------------------------------------------------------------------------------


def test_what_was_said_goes_out_only_if_the_owner_says_so() -> None:
    record = TurnRecord(
        turn="t", outcome=Outcome.ANSWERED, cause="wake", transcript="secret", reply="secret", slots={"name": "secret"},
        error="secret", partials=((1.0, "secret"),),
    )  # fmt: skip
    assert "secret" not in str(turn_body(record, transcripts=False))
    assert turn_body(record, transcripts=True)["transcript"] == "secret"


def test_board_of_a_pi(tmp_path: Path) -> None:
    files = {
        "sys/class/thermal/thermal_zone0/temp": "61200", "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
        "sys/class/thermal/thermal_zone1/temp": "99000", "sys/class/thermal/thermal_zone1/type": "other",
        "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "50005",
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/net/wireless": "h\nh\n wlan0: 0000   62.  -48.  -256        0\n",
        "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 1000000 kB\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    roots = Roots(tmp_path / "proc", tmp_path / "sys", tmp_path)
    seen = replace(look(roots), disk_free_mb=None)
    assert (seen.temperature_c, seen.throttled, seen.undervoltage) == (61.2, True, True)
    assert (seen.wifi_dbm, seen.memory_available_mb) == (-48.0, 1024.0)
    assert model(roots) == "Raspberry Pi 5 Model B Rev 1.0"


def test_board_that_tells_nothing(tmp_path: Path) -> None:
    seen = look(Roots(tmp_path, tmp_path, tmp_path))
    assert (seen.temperature_c, seen.throttled, seen.undervoltage, seen.wifi_dbm) == (None, None, None, None)


@pytest.mark.parametrize("name", ["a/b", "a+b", "a#b", "a b", ""])
def test_ids_that_topics_cannot_hold(name: str) -> None:
    with pytest.raises(SettingsError, match=r"device\.id"):
        load(None, [f"device.id={name}"], {})


def test_the_name_of_the_home_is_taken(tmp_path: Path) -> None:
    from appliance.events import Bus
    from tests.telemetry import make

    with pytest.raises(SettingsError, match="home server's own name"):
        make(tmp_path, Bus(), PlayedDevice(), device="home")


def test_deafness_counts_in_uptime() -> None:
    from appliance.telemetry.metrics.measures import Measures

    measures = Measures(Turns(10), started_s=0.0)
    measures.hears(Hearing.DEAF, 100.0)
    measures.hears(Hearing.MUTED, 160.0)
    assert measures._uptime_share(6000.0) == pytest.approx(0.99)
    assert measures._uptime_share(100.0) is None


def test_every_schema_is_one_and_commands_is_what_the_models_say() -> None:
    from jsonschema import Draft202012Validator

    import appliance.telemetry
    from appliance.telemetry.commands.schema import schema

    folder = Path(appliance.telemetry.__file__).parent / "schemas"
    files = sorted(folder.glob("*.json"))
    assert len(files) >= 12
    for file in files:
        Draft202012Validator.check_schema(json.loads(file.read_text()))
    assert json.loads((folder / "commands.json").read_text()) == schema()


@pytest.mark.parametrize("name", ["mqtt-password", "secrets_mqtt-password"])
def test_password_from_a_systemd_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from appliance.settings.telemetry import MqttSettings
    from appliance.telemetry.mqtt.secrets import login

    (tmp_path / name).write_text("open sesame\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert login(MqttSettings(), "kitchen") == ("kitchen", "open sesame")
    with pytest.raises(SettingsError, match="cannot be read"):
        login(MqttSettings(password_file=tmp_path / "missing"), "kitchen")
