"""In: frames. Out: WS2812 pulses made of SPI bits (MOSI alone; no timing in this program)."""

from __future__ import annotations

from pathlib import Path

from appliance.panel.colour import Frame, light_8bit
from appliance.panel.drivers.spi import SpiLights

SPEED_HZ = 2_400_000
"""Three SPI bits make one WS2812 bit of 1.25 µs: 110 is a one (0.83 µs high), 100 a zero (0.42 µs high)."""
RESET = bytes(90)
"""300 µs low: WS2812B of 2017 and later latch after 280 µs, older ones after 50."""


def _triple(value: int) -> bytes:
    bits = 0
    for bit in range(7, -1, -1):
        bits = bits << 3 | (0b110 if value >> bit & 1 else 0b100)
    return bits.to_bytes(3, "big")


TRIPLES = tuple(_triple(value) for value in range(256))


def encode(frame: Frame, brightness: float) -> bytes:
    """Green, red, blue for each pixel, highest bit first; then the reset. A low byte leads, as MOSI idles high on some."""
    data = bytearray(b"\0")
    for colour in frame:
        red, green, blue = light_8bit(colour, brightness)
        data += TRIPLES[green] + TRIPLES[red] + TRIPLES[blue]
    return bytes(data) + RESET


class Ws2812(SpiLights):
    """WS2812, WS2812B or SK6812 (RGB) LEDs on MOSI."""

    def __init__(self, device: Path) -> None:
        """Raises DeviceError where there is no SPI."""
        super().__init__(device, SPEED_HZ, encode)
