"""The phrase cache gives back what it got, or nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from appliance.engines.tts.cache import SUFFIX, TOUCH_S, PhraseCache, key_of

RATE_HZ = 22050
BIG = 1_000_000


def _speech(seed: int, count: int = 1000) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, count).astype(np.int16)


def _filled(folder: Path, keys: str, most_bytes: int = BIG) -> PhraseCache:
    cache = PhraseCache(folder, most_bytes, RATE_HZ)
    for number, key in enumerate(keys):
        cache.put(key, _speech(number))
    cache.flush()
    return cache


def test_the_same_comes_back_also_after_a_restart(tmp_path: Path) -> None:
    assert np.array_equal(_filled(tmp_path, "a").get("a"), _speech(0))
    again = PhraseCache(tmp_path, BIG, RATE_HZ)
    assert np.array_equal(again.get("a"), _speech(0))
    assert again.get("b") is None
    assert (again.counters["cache_hits"], again.counters["cache_misses"]) == (1, 1)


def test_what_is_not_on_disk_yet_is_there(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path, BIG, RATE_HZ)
    cache.put("a", _speech(1))
    assert cache.has("a")
    assert np.array_equal(cache.get("a"), _speech(1))


def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = _filled(tmp_path, "abcd", 4 * 2100)
    assert cache.get("a") is not None
    cache.put("e", _speech(9))
    cache.flush()
    assert [key for key in "abcde" if cache.has(key)] == ["a", "c", "d", "e"]
    assert cache.bytes == sum(file.stat().st_size for file in tmp_path.iterdir()) <= 4 * 2100
    assert PhraseCache(tmp_path, 2 * 2100, RATE_HZ).bytes <= 2 * 2100
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("harm", ["empty", "short", "flipped", "longer", "rate", "text"])
def test_a_broken_entry_is_never_played(tmp_path: Path, harm: str) -> None:
    _filled(tmp_path, "a")
    file = tmp_path / f"a{SUFFIX}"
    data = bytearray(file.read_bytes())
    if harm == "flipped":
        data[500] ^= 1
    elif harm == "rate":
        data[4] ^= 1
    broken = {"empty": b"", "short": data[:-2], "longer": data + b"xx", "text": b"hello" * 100}.get(harm, data)
    file.write_bytes(broken)
    cache = PhraseCache(tmp_path, BIG, RATE_HZ)
    assert cache.get("a") is None
    assert cache.counters["cache_broken"] == 1
    assert not file.exists()
    cache.put("a", _speech(0))
    cache.flush()
    assert np.array_equal(PhraseCache(tmp_path, BIG, RATE_HZ).get("a"), _speech(0))


def test_an_entry_that_vanished_is_none(tmp_path: Path) -> None:
    cache = _filled(tmp_path, "a")
    (tmp_path / f"a{SUFFIX}").unlink()
    assert cache.get("a") is None
    assert not cache.has("a")
    assert cache.bytes == 0


def test_a_full_disk_costs_the_entry_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = _filled(tmp_path, "a")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    cache.put("b", _speech(2))
    cache.flush()
    assert cache.get("b") is None
    assert np.array_equal(cache.get("a"), _speech(0))
    assert cache.counters["cache_disk_errors"] == 1
    cache.put("c", _speech(3))
    assert cache.counters["cache_dropped"] == 1
    assert [file.name for file in tmp_path.iterdir()] == [f"a{SUFFIX}"]


def test_a_folder_that_is_none_leaves_the_cache_empty(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "phrases").write_text("a file")
    cache = PhraseCache(tmp_path / "phrases", BIG, RATE_HZ)
    cache.put("a", _speech(1))
    cache.flush()
    assert cache.get("a") is None
    assert cache.counters["cache_disk_errors"] >= 1
    assert len(caplog.records) == 1


def test_a_read_only_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(tmp_path, "a")

    def denied(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("write_bytes", "unlink", "replace"):
        monkeypatch.setattr(Path, name, denied)
    monkeypatch.setattr("os.utime", denied)
    cache = PhraseCache(tmp_path, BIG, RATE_HZ)
    cache.put("b", _speech(1))
    cache.flush()
    assert np.array_equal(cache.get("a"), _speech(0))
    assert cache.get("b") is None


def test_nothing_is_kept_where_it_is_switched_off(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path / "phrases", 0, RATE_HZ)
    cache.put("a", _speech(1))
    cache.flush()
    assert cache.get("a") is None
    assert not (tmp_path / "phrases").exists()


def test_a_card_is_written_once_a_day_for_reading(tmp_path: Path) -> None:
    _filled(tmp_path, "a")
    file = tmp_path / f"a{SUFFIX}"
    now_s = file.stat().st_mtime
    cache = PhraseCache(tmp_path, BIG, RATE_HZ, clock=lambda: now_s)
    before = file.stat().st_mtime_ns
    now_s += TOUCH_S / 2
    cache.get("a")
    assert file.stat().st_mtime_ns == before
    now_s += TOUCH_S
    cache.get("a")
    assert file.stat().st_mtime == pytest.approx(now_s)


def test_all_that_changes_the_sound_changes_the_key() -> None:
    keys = [key_of(*given) for given in ((("v", "1"), "a"), (("v", "2"), "a"), (("w", "1"), "a"), (("v", "1"), "b"))]
    assert len(set(keys)) == 4
    assert key_of(("v", "1"), "a") == keys[0]
