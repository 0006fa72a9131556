"""In: bytes, or frames and how to encode them. Out: bytes on an SPI bus (spidev); what is wrong with it in one sentence."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from pathlib import Path

import spidev

from appliance.errors import DeviceError
from appliance.panel.colour import Frame

_NAME = re.compile(r"spidev(\d+)\.(\d+)$")


class Spi:
    """An SPI device, open for writing."""

    def __init__(self, device: Path, speed_hz: int) -> None:
        """Opens e.g. /dev/spidev0.0 in mode 0. Raises DeviceError."""
        self._device = device
        name = _NAME.search(str(device))
        if name is None:
            raise DeviceError("bad-spi", f"panel.spi: {device} is no SPI device; /dev/spidev0.0 is one.")
        self._spi = spidev.SpiDev()
        try:
            self._spi.open(int(name[1]), int(name[2]))
            self._spi.max_speed_hz = speed_hz
            self._spi.mode = 0
        except OSError as error:
            self._spi.close()
            raise self._refused(error) from error

    def write(self, data: bytes) -> None:
        """Clocks `data` out; blocks for 8 · len / speed seconds. Raises DeviceError."""
        try:
            self._spi.writebytes2(data)
        except OSError as error:
            raise self._refused(error) from error

    def close(self) -> None:
        self._spi.close()

    def _refused(self, error: OSError) -> DeviceError:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            text = f"No SPI: {self._device} is not there; put dtparam=spi=on into config.txt and restart."
            return DeviceError("no-spi", text)
        if error.errno in (errno.EACCES, errno.EPERM):
            text = f"No permission for {self._device}: put this user into the group 'spi'."
            return DeviceError("no-permission", text)
        return DeviceError("spi", f"{self._device}: {error.strerror or error}.")


Encode = Callable[[Frame, float], bytes]
"""The bytes by which a chain of LEDs shows a frame at a brightness of 0..1."""


class SpiLights:
    """A chain of LEDs on an SPI device."""

    def __init__(self, device: Path, speed_hz: int, encode: Encode) -> None:
        """Raises DeviceError where there is no SPI."""
        self._spi = Spi(device, speed_hz)
        self._encode = encode

    def show(self, frame: Frame, brightness: float) -> None:
        self._spi.write(self._encode(frame, brightness))

    def close(self) -> None:
        self._spi.close()
