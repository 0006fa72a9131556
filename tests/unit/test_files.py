"""Small files of state: whatever lies in them, a reader gets something sound, and a power cut leaves them whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import files
from appliance.actions.timers import MOST_TIMERS, Timers
from appliance.conversation.levels import Levels, MuteSwitch
from appliance.files import Damaged, parse_json, private_folder, read_text, recall, set_aside, write_atomic

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(["t1", 1e300]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["saved_wall_s", "timers", "id", "total_s", "started_s", "due_wall_s", "left_s", "muted", "reply"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)

NASTY = [
    b"", b"null", b"[]", b"3", b"[" * 3000, b'{"a":' * 3000, b"\x00\xff", b'{"reply": Infinity}', b'{"reply": NaN}',
    b'{"reply": 1e999}', b'{"reply": ' + b"9" * 400 + b"}", b'{"reply": "\\ud800"}', b'{"\\udfff": 5}',
    b'{"timers":[{"total_s":NaN}]}', b'{"saved_wall_s": 0, "timers": [' + b"{}," * 2000 + b"{}]}", b" " * 2_000_000,
]  # fmt: skip


@pytest.mark.parametrize("content", NASTY)
@pytest.mark.parametrize("name", ["timers.json", "levels.json", "mute.json"])
def test_no_content_stops_a_start(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    _start(tmp_path)
    assert (tmp_path / f"{name}.damaged").read_bytes() == content  # nothing is thrown away


@QUICK
@given(tree=JSON)
def test_no_tree_stops_a_start(tmp_path: Path, tree: Any) -> None:
    for name in ("timers.json", "levels.json", "mute.json"):
        (tmp_path / name).write_text(json.dumps(tree))
    _start(tmp_path)


@QUICK
@given(content=st.binary(max_size=200))
def test_no_bytes_get_past_the_parser(content: bytes) -> None:
    try:
        parse_json(content)
    except Damaged:
        pass


def _start(folder: Path) -> None:
    timers = Timers(folder / "timers.json", lambda _: None, lambda _: None)
    timers.load()
    timers.tick()
    timers.save()
    assert len(timers.all()) <= MOST_TIMERS
    assert all(0 <= timers.remaining_s(timer) <= 86400 and timer.total_s > 0 for timer in timers.all())
    assert all(0 <= percent <= 100 for percent in Levels(folder / "levels.json", 60).all().values())
    assert MuteSwitch(folder / "mute.json").muted in (True, False)


def test_the_sound_timers_beside_a_damaged_one_stay(tmp_path: Path) -> None:
    good = {
        "id": "t1",
        "name": "tea",
        "total_s": 60,
        "started_s": 60,
        "due_wall_s": None,
        "left_s": 30,
        "command": None,
    }
    (tmp_path / "timers.json").write_text(json.dumps({"saved_wall_s": 1e9, "timers": [{**good, "total_s": 0}, good]}))
    timers = Timers(tmp_path / "timers.json", lambda _: None, lambda _: None)
    timers.load()
    timers.save()
    assert [timer.name for timer in timers.all()] == ["tea"]
    again = Timers(tmp_path / "timers.json", lambda _: None, lambda _: None)
    again.load()
    assert [timer.name for timer in again.all()] == ["tea"]


def test_mute_outlives_a_restart_and_damage_means_muted(tmp_path: Path) -> None:
    file = tmp_path / "mute.json"
    assert not MuteSwitch(file).muted
    MuteSwitch(file).set(True)
    assert MuteSwitch(file).muted
    file.write_text("[")
    assert MuteSwitch(file).muted
    assert not MuteSwitch(file).muted  # the damage was told once; the next start is a fresh one


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state"
    write_atomic(file, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_content_and_name_are_synced_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_replace, real_fsync = Path.replace, os.fsync

    def fsync(descriptor: int) -> None:
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "content")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        done.append("name")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_atomic(tmp_path / "state", "x")
    assert done == ["content", "name", "folder"]
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_a_writer_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / ".state.tmp").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic"):
        write_atomic(tmp_path / "state", "x")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_pipe_does_not_hold_a_reader_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "timers.json")
    with pytest.raises(Damaged, match="no ordinary file"):
        read_text(tmp_path / "timers.json")


def test_a_folder_in_anothers_hand_or_behind_a_link_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError):
        private_folder(tmp_path / "link")
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o755
    mine = os.getuid()
    monkeypatch.setattr(files.os, "getuid", lambda: mine + 1)
    with pytest.raises(PermissionError):
        private_folder(tmp_path / "theirs")
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o755
    monkeypatch.setattr(files.os, "getuid", lambda: mine)
    private_folder(tmp_path / "theirs")
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_put_aside_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.damaged").mkdir()
    (tmp_path / "x.damaged" / "full").touch()
    (tmp_path / "x").write_text("{")
    assert set_aside(tmp_path / "x", "why") is None
    assert recall(tmp_path / "x", dict, {"a": 1}) == {"a": 1}
