"""In: an update on a disk that fills up, and with an updater that dies. Out: a whole release runs, and it runs."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from appliance.errors import UpdateError
from tests.forgetful_disk import ForgetfulDisk, PowerCut
from tests.update_device import LAYOUT, OLD_TIMERS, TIMERS, Device


class FullDisk(ForgetfulDisk):
    """Has room for `room` more writes; None: for all."""

    def __init__(self) -> None:
        super().__init__()
        self.room: int | None = None
        self.writes = 0

    def _take(self) -> None:
        self.writes += 1
        if self.room is not None and self.writes > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, path: Path, data: bytes) -> None:
        self._take()
        super().write(path, data)

    def make_folder(self, path: Path) -> None:
        if self._find(path) is None:
            self._take()
        super().make_folder(path)


def device(bad: bool) -> tuple[Device, FullDisk]:
    disk = FullDisk()
    made = Device(disk)
    if bad:
        made.service.reasons = ["it is deaf"]
        made.breaks_state()
    disk.writes = 0
    return made, disk


@pytest.mark.parametrize("bad", [False, True])
def test_the_disk_is_full_from_any_write_on(bad: bool) -> None:
    counting, disk = device(bad)
    counting.apply("1.1.0")
    assert disk.writes >= 10
    for room in range(disk.writes):
        full, disk = device(bad)
        disk.room = room
        try:
            full.apply("1.1.0")
        except (UpdateError, OSError):
            pass
        full.updater.settle(boot=False)  # the unit's ExecStopPost=
        assert full.service.running, f"room for {room}: nobody started the program again"
        assert full.updater.current() is not None
        if bad:
            assert full.updater.current() == "1.0.0", f"room for {room}: the bad release stayed"
        disk.room = None
        full.boots()
        full.assert_works()


def test_an_updater_that_is_killed_at_any_change_leaves_a_running_program() -> None:
    counting = Device()
    counting.apply("1.1.0")
    for cut in range(counting.disk.changes + 1):
        killed = Device()
        killed.disk.cut_after = cut
        try:
            killed.apply("1.1.0")
        except PowerCut:
            pass
        killed.disk.cut_after = None
        killed.updater.settle(boot=False)
        assert killed.service.running, f"killed at change {cut}"
        killed.assert_works()


def test_units_that_cannot_be_laid_are_a_reason_to_go_back() -> None:
    made = Device()

    def fails(release: Path) -> None:
        if release.name == "1.1.0":
            raise UpdateError("command-failed", "'systemctl' failed (1): no such unit")

    made.installer.activate = fails  # type: ignore[method-assign]
    assert made.apply("1.1.0") == "taken-back"
    result = made.updater.result()
    assert result is not None and "no such unit" in result.reasons[0] and made.service.running


def test_a_release_before_that_is_gone_does_not_block_the_next_update() -> None:
    made = Device()
    made.breaks_state()

    def dies(before: object) -> list[str]:
        raise PowerCut

    made.service.gate = dies  # type: ignore[method-assign]
    with pytest.raises(PowerCut):
        made.apply("1.1.0")
    del made.service.gate  # type: ignore[method-assign]
    made.disk.remove(LAYOUT.release("1.0.0"))
    made.boots()
    result = made.updater.result()
    assert result is not None and result.outcome == "failed" and made.assert_works() == "1.1.0"
    assert made.apply("1.2.0") == "confirmed"


def test_the_state_is_untouched_where_the_update_is_refused() -> None:
    made = Device()
    with pytest.raises(UpdateError):
        made.apply("0.1.0")
    assert made.disk.read(TIMERS) == OLD_TIMERS and made.service.running
