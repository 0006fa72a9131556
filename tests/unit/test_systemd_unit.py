"""In: systemd/appliance.service. Out: it is as closed as budgeted, never gives up, and reaches its devices."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.shared import ROOT

UNIT = ROOT / "systemd" / "appliance.service"
EXPOSURE_BUDGET = 2.0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def lines(section: str, key: str) -> list[str]:
    text = UNIT.read_text(encoding="utf-8").split(f"[{section}]")[1].split("\n[")[0]
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@needs_systemd
def test_exposure_is_within_its_budget() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    exposure = re.search(r"exposure level for appliance\.service: ([0-9.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= EXPOSURE_BUDGET


@needs_systemd
def test_systemd_understands_every_line() -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(UNIT)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    about_us = [line for line in done.stderr.splitlines() if "appliance.service" in line]
    assert [line for line in about_us if "is not executable" not in line] == []  # not installed on this machine


def test_it_never_gives_up_and_is_watched() -> None:
    assert lines("Unit", "StartLimitIntervalSec") == ["0"]
    assert lines("Service", "Restart") == ["always"]
    assert lines("Service", "Type") == ["notify"] and int(lines("Service", "WatchdogSec")[0]) > 0


def test_only_its_devices_are_open() -> None:
    assert lines("Service", "DevicePolicy") == ["closed"]
    devices = {line.split()[0] for line in lines("Service", "DeviceAllow")}
    assert devices == {"char-alsa", "char-gpiochip", "char-spi", "char-i2c", "char-usb_device"}


def test_every_group_and_folder_it_names_is_made() -> None:
    made = re.findall(r"^g (\S+)", (ROOT / "systemd" / "appliance.sysusers").read_text(encoding="utf-8"), re.MULTILINE)
    assert lines("Service", "SupplementaryGroups")[0].split() == made
    folder = lines("Service", "LoadCredential")[0].split(":")[1]
    assert f"d {folder} 0700 root root" in (ROOT / "systemd" / "appliance.tmpfiles").read_text(encoding="utf-8")
