"""In: an update on a forgetful disk, the power cut at every change. Out: always a whole release runs."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import UpdateError
from appliance.update.manifest import Manifest
from appliance.update.updater import COMPLETE
from tests.forgetful_disk import Luck, PowerCut
from tests.update_device import LAYOUT, NEW_TIMERS, OLD_TIMERS, TIMERS, Device


def lucks() -> list[tuple[str, Luck]]:
    dice = random.Random(14)
    return [("nothing", lambda: False), ("all", lambda: True)] + [
        (f"some {n}", lambda: dice.random() < 0.5) for n in range(2)
    ]


def changes_of(prepare: Callable[[Device], None], act: Callable[[Device], object]) -> int:
    device = Device()
    prepare(device)
    act(device)
    return device.disk.changes


def good(device: Device) -> None:
    pass


def bad(device: Device) -> None:
    device.service.reasons = ["it is deaf"]
    device.breaks_state()


@pytest.mark.parametrize("prepare", [good, bad])
def test_power_cut_at_every_change(prepare: Callable[[Device], None]) -> None:
    count = changes_of(prepare, lambda device: device.apply("1.1.0"))
    assert count > 25
    ran = set[str]()
    for cut, (name, luck) in itertools.product(range(count + 1), lucks()):
        device = Device()
        prepare(device)
        device.disk.cut_after = cut
        try:
            device.apply("1.1.0")
        except PowerCut:
            pass
        device.disk.crash(luck)
        device.boots()
        version = device.assert_works()
        ran.add(version)
        if version == "1.0.0":
            data = device.disk.read(TIMERS)
            assert data == OLD_TIMERS, f"cut {cut}, {name}: the older release cannot read {data!r}"
        device.service.reasons = []
        assert device.apply("1.2.0") == "confirmed", f"cut {cut}, {name}: the next update"
        assert device.assert_works() == "1.2.0"
    assert ran == ({"1.0.0", "1.1.0"} if prepare is good else {"1.0.0"})


def test_power_cut_while_going_back_at_boot() -> None:
    """The power goes in the middle of the gate, and again at every change of the way back, twice."""

    def interrupted() -> Device:
        device = Device()
        device.breaks_state()
        device.service.gate = lambda before: (_ for _ in ()).throw(PowerCut)  # type: ignore[method-assign]
        with pytest.raises(PowerCut):
            device.apply("1.1.0")
        device.disk.crash(lambda: True)
        return device

    counting = interrupted()
    counting.boots()
    count = counting.disk.changes
    assert count > 8
    for cut, again, (_, luck) in itertools.product(range(count + 1), (None, 4), lucks()):
        device = interrupted()
        for after in (cut, again):
            if after is None:
                continue
            device.disk.cut_after = after
            try:
                device.boots()
            except PowerCut:
                pass
            device.disk.crash(luck)
        device.boots()
        assert device.assert_works() == "1.0.0"
        assert device.disk.read(TIMERS) == OLD_TIMERS


def test_what_is_not_synced_is_really_lost() -> None:
    """The model itself: without its syncs the same update leaves devices without a release."""
    lost = 0
    for cut in range(15, 60):
        device = Device()
        device.disk.sync_tree = lambda path: None  # type: ignore[method-assign]
        device.disk.sync_file = lambda path: None  # type: ignore[method-assign]
        device.disk.cut_after = cut
        try:
            device.apply("1.1.0")
        except PowerCut:
            pass
        device.disk.crash(lambda: False)
        try:
            device.boots()
            device.assert_works()
        except (AssertionError, FileNotFoundError, UpdateError):
            lost += 1
    assert lost > 0


def test_a_good_release_is_confirmed_and_the_one_before_stays() -> None:
    device = Device()
    assert device.apply("1.1.0") == "confirmed"
    assert device.updater.releases() == ["1.0.0", "1.1.0"]
    assert device.installer.active == "1.1.0" and device.service.running
    device.apply("1.2.0")
    assert device.updater.releases() == ["1.1.0", "1.2.0"] or "1.0.0" not in device.updater.releases()[1:]


def test_the_order_is_the_promise() -> None:
    device = Device()
    device.apply("1.1.0")
    order = "verify stage sync mark stop state pending switch activate start gate confirm confirmed"
    assert [step.removeprefix("step ") for step in device.steps] == order.split()


def test_a_bad_release_is_taken_back_with_its_reasons() -> None:
    device = Device()
    device.service.reasons = ["it is deaf"]
    assert device.apply("1.1.0") == "taken-back"
    result = device.updater.result()
    assert result is not None and result.reasons == ("it is deaf",) and result.runs == "1.0.0"
    assert device.assert_works() == "1.0.0" and device.installer.active == "1.0.0" and device.service.running


def test_newer_state_is_kept_aside_and_readable_state_stays() -> None:
    device = Device()
    bad(device)
    device.apply("1.1.0")
    assert device.disk.read(TIMERS) == OLD_TIMERS
    assert device.disk.read(LAYOUT.state / "aside" / "1.1.0" / "timers.json") == NEW_TIMERS
    since = b'{"version": 1, "timers": ["tea", "eggs"]}'
    device.service.on_start = lambda: device.disk.write(TIMERS, since)
    device.apply("1.1.1")
    assert device.disk.read(TIMERS) == since, "a timer of the last minute is not lost by going back"


def test_the_gate_that_died_without_a_verdict_is_taken_back_without_a_boot() -> None:
    device = Device()
    device.service.gate = lambda before: (_ for _ in ()).throw(PowerCut)  # type: ignore[method-assign]
    with pytest.raises(PowerCut):
        device.apply("1.1.0")
    assert device.updater.settle(boot=True) is None, "the same boot: the updater may still be at it"
    assert device.updater.settle(boot=False) is not None
    assert device.assert_works() == "1.0.0" and device.service.running


def test_only_newer_unless_forced() -> None:
    device = Device()
    for version in ("1.0.0", "0.9.9", "1.0.0rc1"):
        with pytest.raises(UpdateError, match="what runs"):
            device.apply(version)
    assert device.apply("0.9.9", force=True) == "confirmed"


def test_no_second_update_before_the_first_is_confirmed() -> None:
    device = Device()
    device.disk.write(LAYOUT.pending, json.dumps({"before": "1.0.0", "after": "1.1.0"}).encode())
    with pytest.raises(UpdateError, match="not confirmed"):
        device.apply("1.2.0")


def test_without_room_nothing_is_touched() -> None:
    device = Device()
    device.installer.room = False
    with pytest.raises(UpdateError, match="no room"):
        device.apply("1.1.0")
    assert device.assert_works() == "1.0.0" and device.service.running


def test_a_failed_install_leaves_no_release_that_looks_whole() -> None:
    device = Device()

    def torn(source: Path, manifest: Manifest, release: Path) -> None:
        device.disk.write(release / "half", b"")
        raise UpdateError("command-failed", "pip failed")

    device.installer.install = torn  # type: ignore[method-assign]
    with pytest.raises(UpdateError):
        device.apply("1.1.0")
    assert device.updater.releases() == ["1.0.0"] and not device.disk.is_file(LAYOUT.release("1.1.0") / COMPLETE)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"before": "../x", "after": "1.1.0"}', b"\xff\x00" * 50])
def test_a_damaged_record_stops_nothing(data: bytes) -> None:
    device = Device()
    device.disk.write(LAYOUT.pending, data)
    device.boots()
    assert device.assert_works() == "1.0.0"


def test_going_back_by_hand() -> None:
    device = Device()
    device.apply("1.1.0")
    with pytest.raises(UpdateError, match="not on this device"):
        device.updater.back_to("3.0.0")
    assert device.updater.back_to("1.0.0").outcome == "confirmed"
    assert device.assert_works() == "1.0.0"


def test_a_link_that_names_nothing_is_mended() -> None:
    device = Device()
    device.apply("1.1.0")
    device.updater.point_at("9.9.9")
    device.boots()
    assert device.assert_works() == "1.1.0"
