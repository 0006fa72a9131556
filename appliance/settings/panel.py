"""What the device shows and feels: board, LEDs, button."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from appliance.settings.base import Section


class PanelSettings(Section):
    board: str = Field("auto", description="ReSpeaker board; auto: recognised; none: no hardware; virtual: terminal.")
    leds: Literal["board", "none", "apa102", "ws2812", "rgb", "plain"] = Field(
        "board", description="LEDs; board: those of the board; rgb and plain are on GPIO pins; none: dark."
    )
    led_count: int | None = Field(None, ge=1, le=64, description="LEDs there really are; without one, the board's.")
    led_pins: tuple[int, ...] = Field((), max_length=12, description="GPIO numbers (BCM) of 'rgb' or 'plain' LEDs.")
    spi: Path = Field(Path("/dev/spidev0.0"), description="SPI device of 'apa102' and 'ws2812' LEDs.")
    brightness_percent: int = Field(40, ge=1, le=100, description="Brightness by day, percent.")
    night_brightness_percent: int = Field(6, ge=0, le=100, description="Brightness at night, percent; 0 is dark.")
    night_from_hour: int = Field(22, ge=0, le=23, description="Hour at which the night begins, local time.")
    night_to_hour: int = Field(7, ge=0, le=23, description="Hour at which it ends; the same hour: there is no night.")
    button_pin: int | None = Field(None, ge=0, le=27, description="GPIO (BCM) of the button; without one, the board's.")
    hold_to_talk: bool = Field(
        False, description="Listen while the button is held; speech ends at its release. Holding then mutes no more."
    )
    mixer: bool = Field(True, description="Apply and check the board's mixer profile at every start.")
