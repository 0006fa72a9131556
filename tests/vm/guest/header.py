"""In: nothing. Out: chips of the kernel's gpio-sim, the header of a Raspberry Pi 5 among them, and its lines by hand."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

CONFIG = Path("/sys/kernel/config/gpio-sim")
LABEL, LINES = "pinctrl-rp1", 54
OTHER_LABEL, OTHER_LINES = "gpio-brcmstb@107d508500", 32
"""Comes first, as a Pi 5's own other chips may."""
EYE_S = 0.0005
"""How often a line is looked at, in seconds."""


@dataclass(frozen=True, slots=True)
class Header:
    """The chip whose lines are the header: its number, and its folder in sysfs."""

    number: int
    folder: Path

    def press(self, pin: int) -> float:
        """Pulls the line down, as a finger on a button to ground does. When, in monotonic seconds."""
        return self._pull(pin, "pull-down")

    def let_go(self, pin: int) -> float:
        return self._pull(pin, "pull-up")

    def high(self, pin: int) -> bool:
        """What a LED on this line would show."""
        return (self.folder / f"sim_gpio{pin}" / "value").read_text().startswith("1")

    def lit(self, pin: int, timeout_s: float) -> float | None:
        """Waits until the line is high; when that was seen. None: it was not within `timeout_s`."""
        file = os.open(self.folder / f"sim_gpio{pin}" / "value", os.O_RDONLY)
        try:
            end_s = time.monotonic() + timeout_s
            while (now_s := time.monotonic()) < end_s:
                if os.pread(file, 1, 0) == b"1":
                    return now_s
                time.sleep(EYE_S)
            return None
        finally:
            os.close(file)

    def changes(self, pin: int, seconds: float) -> int:
        """How often the line changes within `seconds`, as far as the eye is quick enough."""
        file = os.open(self.folder / f"sim_gpio{pin}" / "value", os.O_RDONLY)
        try:
            before, changes, end_s = os.pread(file, 1, 0), 0, time.monotonic() + seconds
            while time.monotonic() < end_s:
                now = os.pread(file, 1, 0)
                changes, before = changes + (now != before), now
                time.sleep(EYE_S)
            return changes
        finally:
            os.close(file)

    def _pull(self, pin: int, pull: str) -> float:
        at_s = time.monotonic()
        (self.folder / f"sim_gpio{pin}" / "pull").write_text(pull)
        return at_s


def build() -> Header:
    """Makes another chip first, then the header, so that the header is not chip 0."""
    _chip("other", OTHER_LABEL, OTHER_LINES)
    return _chip("header", LABEL, LINES)


def _chip(name: str, label: str, lines: int) -> Header:
    device = CONFIG / name
    bank = device / "bank0"
    bank.mkdir(parents=True)
    (bank / "num_lines").write_text(str(lines))
    (bank / "label").write_text(label)
    (device / "live").write_text("1")
    chip = (bank / "chip_name").read_text().strip()
    folder = Path("/sys/devices/platform") / (device / "dev_name").read_text().strip() / chip
    return Header(int(chip.removeprefix("gpiochip")), folder)
