"""In: what the virtual machine's hand tells. Out: figures and checks; a kernel chosen; an archive as the kernel reads it."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from tests.vm.figures import checks, figures
from tests.vm.ground import Missing, newest
from tests.vm.initramfs import initramfs, newc


def test_figures_count_what_was_missed() -> None:
    told = [{"what": "press", "press_led_ms": value} for value in (30.0, 10.0, None, 20.0)]
    (figure,) = figures(told)
    assert (figure.name, figure.n, figure.p50, figure.p95, figure.missed) == ("press_led_ms", 3, 20.0, 30.0, 1)


def test_a_machine_that_told_nothing_passes_no_check() -> None:
    assert not any(check.ok for check in checks([], 20))


def test_a_header_that_is_chip_0_proves_nothing() -> None:
    chips = [{"path": "/dev/gpiochip0", "label": "pinctrl-rp1"}]
    by_label = checks([{"what": "chips", "chips": chips, "header": 0, "found": 0}], 1)[0]
    assert by_label.name == "header-by-label" and not by_label.ok


def test_the_newest_kernel_that_has_its_modules() -> None:
    packages = [
        "linux-binary-7.0.4+deb13-amd64", "linux-modules-7.0.4+deb13-amd64",
        "linux-binary-unsigned-7.10.1+deb13-amd64", "linux-modules-7.10.1+deb13-amd64",
        "linux-binary-unsigned-7.9.9+deb13-amd64", "linux-modules-7.9.9+deb13-amd64",
        "linux-binary-7.11.0+deb13-amd64", "linux-modules-7.11.0+deb13-cloud-amd64",
    ]  # fmt: skip
    assert newest(packages) == ("linux-binary-unsigned-7.10.1+deb13-amd64", "7.10.1+deb13-amd64")


@pytest.mark.parametrize("packages", [[], ["linux-binary-6.12.1+deb13-amd64", "linux-modules-6.12.1+deb13-amd64"]])
def test_a_kernel_without_gpio_sim_is_refused(packages: list[str]) -> None:
    with pytest.raises(Missing, match=r"7\.0"):
        newest(packages)


def test_an_archive_is_padded_to_four_bytes() -> None:
    archive = newc([("init", 0o100755, b"#!x")])
    assert archive[:6] == b"070701" and len(archive) % 4 == 0
    name_ends = 110 + len("init") + 1
    start = (name_ends + 3) // 4 * 4
    assert archive[start : start + 3] == b"#!x"
    assert int(archive[6 + 6 * 8 : 6 + 7 * 8], 16) == 3, "the seventh field is the size"
    assert b"TRAILER!!!\0" in archive


def test_modules_are_unpacked_and_keep_their_order(tmp_path: Path) -> None:
    busybox, first, second = tmp_path / "busybox", tmp_path / "zz.ko.xz", tmp_path / "aa.ko"
    busybox.write_bytes(b"box")
    first.write_bytes(lzma.compress(b"first module"))
    second.write_bytes(b"second module")
    archive = gzip.decompress(initramfs(busybox, [first, second]))
    assert (
        0 < archive.index(b"modules/00-zz.ko\0") < archive.index(b"first module") < archive.index(b"modules/01-aa.ko\0")
    )
