"""In: nothing. Out: what is known of a board: codec, channels, pins, LEDs, mixer profile, overlay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.panel.shape import Shape


@dataclass(frozen=True, slots=True)
class Capture:
    """What the microphone's PCM gives."""

    channels: int
    rate_hz: int
    sample: str
    """ALSA's name of the sample format."""
    roles: tuple[str, ...]
    """What each channel carries."""
    microphones: tuple[int, ...] = ()
    """Channels with raw microphones, counted from 0; none: it is not heard as an array."""
    positions_mm: tuple[tuple[float, float], ...] = ()
    """Of each of `microphones`: to the right of the board's middle and towards its mark, seen from above."""
    processed: int | None = None
    """Channel with the board's own beam."""
    loopback: tuple[int, ...] = ()
    """Channels with what the loudspeaker plays."""


def circle(count: int, radius_mm: float, first_deg: float) -> tuple[tuple[float, float], ...]:
    """Places on a circle, anticlockwise from above; `first_deg` is the first one's, anticlockwise from the right."""
    angles = (math.radians(first_deg + 360.0 * number / count) for number in range(count))
    return tuple((radius_mm * math.cos(angle), radius_mm * math.sin(angle)) for angle in angles)


@dataclass(frozen=True, slots=True)
class LightsOf:
    """The LEDs of a board and how they are reached."""

    driver: Literal["apa102", "ws2812", "rgb", "plain", "usb", "virtual"]
    shape: Shape
    spi: Path = Path("/dev/spidev0.0")
    pins: tuple[int, ...] = ()
    power_pin: int | None = None
    """GPIO that must be high for the LEDs to have power."""
    usb_product: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """One control of ALSA's simple mixer, and what it has to be."""

    control: str
    raw: int | None = None
    """Volume in the codec's own steps."""
    on: bool | None = None
    """Switch."""
    choice: str | None = None
    """Entry of an enumeration."""
    capture: bool = False
    """It belongs to the capture side."""


@dataclass(frozen=True, slots=True)
class Board:
    """A microphone board. `name` is what `panel.board` takes."""

    name: str
    title: str
    url: str
    codec: str
    capture: Capture
    lights: LightsOf | None = None
    button_pin: int | None = None
    """GPIO (BCM) of the button, active low."""
    i2c: tuple[int, ...] = ()
    """Addresses on the header's bus that must all answer."""
    kernel_names: tuple[str, ...] = ()
    """What the kernel calls the codec's I2C device once an overlay is loaded."""
    usb: tuple[int, int] | None = None
    """(vendor, product)."""
    hat: tuple[str, ...] = ()
    """Words that are all in the product name of its HAT EEPROM, lower case, where it has one."""
    cards: tuple[str, ...] = ()
    """Names that its sound card goes by, lower case: of this project's overlay, of others'."""
    mixer: tuple[Level, ...] = ()
    overlay: str | None = None
    """Overlay of this project, without .dts; None where the kernel needs none or has no driver."""
    note: str = ""
    """What one has to know before buying it."""
