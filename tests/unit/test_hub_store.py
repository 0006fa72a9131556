"""In: a fleet that speaks, damaged files, full disks. Out: history is kept, summed, bounded, copied; faults are told."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("msgspec", reason="the extra 'hub' is not installed")

from appliance.errors import UsageError
from appliance.hub.store import tables
from appliance.hub.store.copy import backup, restore
from appliance.hub.store.database import FILE, Condition, StoreStanding, connect, open_history
from appliance.hub.store.history import History
from appliance.hub.store.packing import Columns, merged, summed, unpack
from appliance.hub.store.query import Reader, grain_for, reading
from appliance.hub.store.rollup import Rollup
from appliance.hub.store.tables import HOUR, MINUTE, RAW, NewerDatabaseError, migrate
from appliance.hub.store.writer import Row, Writer
from tests.unit.test_hub_fleet import House, device

BEGIN_S = 1_800_000_000.0 // 3600 * 3600


class Kept:
    """A house whose history is written by hand, batch by batch, on the house's clock."""

    def __init__(self, folder: Path, most_bytes: int = 0) -> None:
        self.house = House(wall_s=BEGIN_S)
        self.one = device()
        self.history = History(folder, most_bytes)
        self.history.writer._wall = lambda: self.house.wall_s
        self.house.fleet.follow(self.history)
        self.reader = reading(self.history)

    def flush(self) -> None:
        waiting = self.history.writer._waiting
        self.history.writer.write([waiting.get_nowait() for _ in range(waiting.qsize())])

    def speak(self, minutes: int, step_s: float = 10.0) -> None:
        for _ in range(int(minutes * 60 / step_s)):
            self.house.speak(self.one)
            self.house.wait(step_s)
            if self.house.wall_s % 60.0 < step_s:
                self.flush()
        self.flush()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_what_is_told_can_be_asked_for(kept: Kept) -> None:
    one = kept.one
    kept.house.say(one.id, "info", one.info(), retain=True)
    kept.speak(3)
    kept.house.say(one.id, "turn", {**one.turn(), "at": kept.house.wall_s, "intent": "HassTurnOn"})
    kept.flush()
    series = kept.reader.series(one.id, ["cpu", "memory", "nonsense"], BEGIN_S, BEGIN_S + 180, 400)
    assert series.grain == "raw" and len(series.t) == 18
    assert all(value is not None and value > 0 for value in series.series["memory"])
    assert series.series["nonsense"] == [None] * 18
    (turn,) = kept.reader.turns(one.id)
    assert turn["intent"] == "HassTurnOn" and turn["ms"]
    assert kept.reader.turns("nobody") == [] and kept.reader.series("nobody", ["cpu"], 0.0, 1e9).t == []


def test_minutes_and_hours_are_sums_of_what_came(kept: Kept) -> None:
    kept.speak(62, 20.0)
    database = kept.history.writer.database
    assert database.execute("SELECT count(*) FROM minute").fetchone()[0] == 61
    assert database.execute("SELECT count(*) FROM hour").fetchone()[0] == 1
    raw = kept.reader.series(device().id, ["temperature"], BEGIN_S, BEGIN_S + 3600, 2000).series["temperature"]
    (packed,) = database.execute("SELECT packed FROM hour").fetchone()
    place = kept.history.columns.known("temperature")
    assert place is not None
    mean, least, most = unpack([packed], 3 * (place + 1))[0, -3:]
    known = [value for value in raw if value is not None]
    assert mean == pytest.approx(sum(known) / len(known), rel=1e-4)
    assert (least, most) == pytest.approx((min(known), max(known)), rel=1e-5)
    shares = {row["name"]: row["share"] for row in kept.reader.kept(7, kept.house.wall_s)}
    assert shares["temperature_c"] == 1.0


def test_a_restart_goes_on_where_the_sums_stopped(tmp_path: Path) -> None:
    first = Kept(tmp_path)
    first.speak(3)
    first.history.writer.database.close()  # as after kill -9: no goodbye
    second = Kept(tmp_path)
    second.house.wall_s = first.house.wall_s + 120
    second.flush()
    count = second.history.writer.database.execute("SELECT count(*), count(DISTINCT at) FROM minute").fetchone()
    assert count == (3, 3)
    assert second.history.device_id(device().id) == 1


def test_a_gap_is_shown_as_one(kept: Kept) -> None:
    kept.speak(1)
    kept.house.wait(600.0)
    kept.speak(1)
    series = kept.reader.series(device().id, ["cpu"], BEGIN_S, kept.house.wall_s, 400)
    assert series.series["cpu"].count(None) == 1 and len(series.t) == 13


def test_no_more_points_than_asked_for(kept: Kept) -> None:
    kept.speak(20)
    series = kept.reader.series(device().id, ["cpu"], BEGIN_S, kept.house.wall_s, 30)
    assert len(series.t) <= 30 and None not in series.series["cpu"]


@pytest.mark.parametrize(("span_s", "grain"), [(3600, RAW), (86400, RAW), (7 * 86400, MINUTE), (90 * 86400, HOUR)])
def test_the_grain_fits_the_span(span_s: float, grain: tables.Grain) -> None:
    assert grain_for(span_s, 400) is grain


def test_old_rows_go(kept: Kept) -> None:
    kept.speak(2)
    kept.house.wall_s += RAW.keep_s + 120
    kept.flush()
    database = kept.history.writer.database
    assert database.execute("SELECT count(*) FROM raw").fetchone()[0] == 0
    assert database.execute("SELECT count(*) FROM minute").fetchone()[0] > 0


def test_a_file_over_its_bound_keeps_raw_rows_for_a_shorter_time(tmp_path: Path) -> None:
    small = Kept(tmp_path, most_bytes=1)
    small.speak(2)
    small.house.wait(70.0)
    small.flush()
    assert small.history.writer._rollup.raw_keep_s < RAW.keep_s


def test_a_damaged_file_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"SQLite format 3\0" + b"rubbish" * 500)
    standing = StoreStanding()
    database = open_history(tmp_path, standing)
    assert standing.condition is Condition.MOVED_ASIDE and "damaged" in standing.sentence
    assert len(list(tmp_path.glob(f"{FILE}.damaged-*"))) == 1
    assert database.execute("SELECT count(*) FROM raw").fetchone() == (0,)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    kept = Kept(tmp_path)
    assert (
        kept.history.standing.condition is Condition.READ_ONLY and "cannot be written" in kept.history.standing.sentence
    )
    kept.speak(1)
    assert len(kept.reader.series(device().id, ["cpu"], BEGIN_S, kept.house.wall_s).t) == 6


def test_the_history_of_a_newer_hub_is_left_alone(tmp_path: Path) -> None:
    newer = connect(tmp_path / FILE)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    standing = StoreStanding()
    open_history(tmp_path, standing)
    assert standing.condition is Condition.READ_ONLY and "Update the hub" in standing.sentence
    with pytest.raises(NewerDatabaseError):
        migrate(connect(tmp_path / FILE))


def test_a_full_disk_loses_rows_and_says_so(tmp_path: Path) -> None:
    database = open_history(tmp_path, standing := StoreStanding())
    writer = Writer(database, standing, Rollup(Columns()))
    database.execute("PRAGMA max_page_count = 1")
    rows = [Row("INSERT INTO line VALUES (1, ?, 'x', ?, NULL)", (at, "y" * 3000)) for at in range(50)]
    writer.write(rows)
    assert standing.condition is Condition.FULL and standing.dropped == 50 and "not kept" in standing.sentence
    database.execute("PRAGMA max_page_count = 100000")
    writer._not_before_s = 0.0
    writer.write(rows)
    assert standing.condition is Condition.OK and standing.written == 50


def test_a_queue_that_is_full_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.hub.store.writer.MOST_WAITING", 3)
    writer = Writer(open_history(tmp_path, standing := StoreStanding()), standing, Rollup(Columns()))
    for _ in range(5):
        writer.put(Row("SELECT 1", ()))
    assert standing.dropped == 2


def test_the_thread_writes_and_ends(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.history.writer.start()
    kept.house.speak(device())
    kept.history.close()
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("SELECT count(*) FROM raw").fetchone() == (1,)


def test_backup_and_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, copy = tmp_path / "hub", tmp_path / "copy.db"
    folder.mkdir()
    kept = Kept(folder)
    kept.speak(1)
    assert backup(folder, copy) > 0
    with pytest.raises(UsageError, match="there already"):
        backup(folder, copy)
    kept.speak(1)
    monkeypatch.setattr("appliance.hub.store.database.BUSY_S", 0.01)
    with pytest.raises(UsageError, match="the hub runs"):
        restore(folder, copy)
    kept.reader._database.close()
    kept.history.writer.database.close()
    restore(folder, copy)
    again = Kept(folder)
    assert again.history.writer.database.execute("SELECT count(*) FROM raw").fetchone() == (6,)
    assert (folder / f"{FILE}.before-restore").exists()


def test_a_copy_that_is_none_changes_nothing(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"no database" * 100)
    with pytest.raises(UsageError, match="cannot be taken"):
        restore(tmp_path / "hub", rubbish)
    with pytest.raises(UsageError, match="no history"):
        backup(tmp_path, tmp_path / "x")
    assert not (tmp_path / "hub" / FILE).exists()


def test_the_audit_log_tells_who_did_what(kept: Kept) -> None:
    kept.history.audit(BEGIN_S, "anna", "kitchen", "volume", {"percent": 30}, True, "{}", 12.5)
    kept.flush()
    (row,) = kept.reader.audit()
    assert (row["who"], row["command"], row["args"], row["ok"], row["took_ms"]) == (
        "anna", "volume", {"percent": 30}, True, 12.5,
    )  # fmt: skip
    assert kept.reader.timeline("kitchen")[0]["kind"] == "command"


def test_rubbish_makes_no_table_without_an_end() -> None:
    columns = Columns()
    packed = columns.pack({f"c{number}": 1.0 for number in range(1000)})
    assert len(columns.names) == 400 and len(packed) == 1600


def test_sums_leave_out_what_is_not_known() -> None:
    columns = Columns()
    rows = [columns.pack({"a": 1.0}), columns.pack({"a": 3.0, "b": 5.0}), columns.pack({})]
    minute = summed(unpack(rows, 3))
    assert unpack([minute], 9)[0].tolist()[:6] == [2.0, 1.0, 3.0, 5.0, 5.0, 5.0]
    assert all(math.isnan(value) for value in unpack([minute], 9)[0].tolist()[6:])
    assert unpack([merged(unpack([minute, minute], 9))], 9)[0].tolist()[:3] == [2.0, 1.0, 3.0]


def test_a_reader_sees_what_the_writer_has_committed(kept: Kept) -> None:
    kept.speak(1)
    assert isinstance(kept.reader, Reader) and kept.reader._database is not kept.history.writer.database
