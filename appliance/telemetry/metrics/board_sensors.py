"""In: /proc and /sys. Out: the board's temperature, throttling, supply voltage, Wi-Fi and free disk; None where untold."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

UNDERVOLTAGE, CAPPED, THROTTLED, HOT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
"""Bits of the Raspberry Pi firmware's `get_throttled` (raspberrypi.com, "vcgencmd"); 16 higher: has happened since boot."""


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the kernel tells; a test brings its own."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    disk: Path = Path("/")


@dataclass(frozen=True, slots=True)
class BoardSensors:
    """One look at the board."""

    temperature_c: float | None
    throttled: bool | None
    """Slowed down now, because of heat or supply."""
    undervoltage: bool | None
    wifi_dbm: float | None
    disk_free_mb: float | None
    memory_available_mb: float | None


def look(roots: Roots) -> BoardSensors:
    """Reads some small files; below a millisecond."""
    flags = _flags(roots.sys)
    return BoardSensors(
        temperature_c=_temperature_c(roots.sys),
        throttled=None if flags is None else bool(flags & (CAPPED | THROTTLED | HOT)),
        undervoltage=_voltage_alarm(roots.sys) if flags is None else bool(flags & UNDERVOLTAGE),
        wifi_dbm=_wifi_dbm(roots.proc),
        disk_free_mb=_disk_free_mb(roots.disk),
        memory_available_mb=_memory_mb(roots.proc),
    )


def model(roots: Roots) -> str | None:
    """As the device tree names it, e.g. 'Raspberry Pi 5 Model B Rev 1.0'."""
    text = _read(roots.proc / "device-tree" / "model")
    return None if text is None else text.rstrip("\0\n")


def _read(file: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="utf-8").strip()
    return None


def _number(file: Path, base: int = 10) -> int | None:
    with contextlib.suppress(ValueError):
        return int(_read(file) or "", base)
    return None


def _temperature_c(sys: Path) -> float | None:
    """Of the zone called cpu-thermal (Pi), else of the hottest one."""
    zones = {}
    for zone in sorted((sys / "class/thermal").glob("thermal_zone*")):
        if (value := _number(zone / "temp")) is not None:
            zones[_read(zone / "type") or zone.name] = value / 1000
    return zones.get("cpu-thermal", max(zones.values(), default=None))


def _flags(sys: Path) -> int | None:
    """The firmware's flags; its node's place differs between boards and kernels."""
    for file in sorted((sys / "devices/platform").glob("soc*/*firmware/get_throttled")):
        if (flags := _number(file, 16)) is not None:
            return flags
    return None


def _voltage_alarm(sys: Path) -> bool | None:
    """The same from the kernel's driver raspberrypi-hwmon (`rpi_volt`)."""
    for folder in (sys / "class/hwmon").glob("hwmon*"):
        if _read(folder / "name") == "rpi_volt" and (alarm := _number(folder / "in0_lcrit_alarm")) is not None:
            return bool(alarm)
    return None


def _wifi_dbm(proc: Path) -> float | None:
    """Signal level of the first wireless interface, /proc/net/wireless, fourth column."""
    for line in (_read(proc / "net/wireless") or "").splitlines()[2:]:
        with contextlib.suppress(ValueError, IndexError):
            return float(line.split()[3].rstrip("."))
    return None


def _disk_free_mb(disk: Path) -> float | None:
    with contextlib.suppress(OSError):
        return round(shutil.disk_usage(disk).free / 1e6)
    return None


def _memory_mb(proc: Path) -> float | None:
    for line in (_read(proc / "meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return round(int(line.split()[1]) * 1024 / 1e6)
    return None
