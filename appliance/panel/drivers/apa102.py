"""In: frames. Out: APA102 bytes on SPI; the LEDs of the ReSpeaker HATs."""

from __future__ import annotations

from pathlib import Path

from appliance.panel.colour import Frame, light_8bit
from appliance.panel.drivers.spi import SpiLights

SPEED_HZ = 4_000_000
"""The chip takes more, the HATs' wiring has no need for it: twelve pixels are out in 0.1 ms."""


def encode(frame: Frame, brightness: float) -> bytes:
    """Start frame of 32 zeros, 0b111 + 5 bits of brightness, blue, green, red for each pixel, then the end.

    `brightness` 0..1 sets the 5 bits, so that dimmed colours keep their 8. The end is 32 zeros (SK9822, sold as
    APA102, latches on them) and half a clock for each pixel, which the data line lags behind (APA102 data sheet, and
    T. Saeger, "APA102 aka Superled", 2014). Zeros, not ones: ones would light a pixel beyond the last as white.
    """
    steps = min(31, max(1, round(31 * brightness))) if brightness > 0 else 0
    scale = 1.0 if brightness > 0 else 0.0
    pixels = bytearray()
    for colour in frame:
        red, green, blue = light_8bit(colour, scale)
        pixels += bytes((0xE0 | steps, blue, green, red))
    return bytes(4) + bytes(pixels) + bytes(4 + (len(frame) + 15) // 16)


class Apa102(SpiLights):
    """APA102 or SK9822 LEDs."""

    def __init__(self, device: Path) -> None:
        """Raises DeviceError where there is no SPI."""
        super().__init__(device, SPEED_HZ, encode)
