"""In: /dev/gpiochip*. Out: GPIO chips by label, so that nobody relies on their numbers."""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

GPIO_GET_CHIPINFO_IOCTL = 0x8044B401
"""_IOR(0xB4, 0x01, struct gpiochip_info), linux/gpio.h."""
CHIP_INFO = struct.Struct("32s32sI")
HEADER_LABELS = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""Chips whose lines are the 40-pin header: Raspberry Pi 5, 4, older."""


@dataclass(frozen=True, slots=True)
class GpioChip:
    path: str
    label: str
    lines: int
    header: bool
    """Its lines are the 40-pin header of a Raspberry Pi."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def gpio_chips(dev: Path = Path("/dev")) -> list[GpioChip]:
    """Every GPIO chip; one without permission appears with the label 'no permission'."""
    return [_chip(path) for path in sorted(dev.glob("gpiochip*")) if not path.is_symlink()]


def header_chip(dev: Path = Path("/dev")) -> int | None:
    """Number of the chip whose lines are the 40-pin header, by its label; None on a machine without one."""
    for chip in gpio_chips(dev):
        if chip.header:
            return int(Path(chip.path).name.removeprefix("gpiochip"))
    return None


def _chip(path: Path) -> GpioChip:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return GpioChip(str(path), "no permission", 0, False)
    try:
        return chip_from(str(path), fcntl.ioctl(descriptor, GPIO_GET_CHIPINFO_IOCTL, bytes(CHIP_INFO.size)))
    except OSError as error:
        return GpioChip(str(path), error.strerror or "no GPIO chip", 0, False)
    finally:
        os.close(descriptor)


def chip_from(path: str, info: bytes) -> GpioChip:
    """A chip from the kernel's struct gpiochip_info (name, label, lines)."""
    _, label, lines = CHIP_INFO.unpack(info)
    text = label.split(b"\0")[0].decode(errors="replace")
    return GpioChip(path, text, lines, text in HEADER_LABELS)
