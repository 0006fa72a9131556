"""In: frames and a brightness. Out: light. What every driver of LEDs offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from appliance.panel.colour import Frame


class Lights(Protocol):
    """LEDs, open. Methods block for as long as the hardware does; they run on a thread of their own (`Lamp`)."""

    def show(self, frame: Frame, brightness: float) -> None:
        """Shows `frame` (perceived colours) at `brightness` 0..1. Raises DeviceError."""

    def close(self) -> None:
        """Lets the hardware go; what it shows then is its own affair. Never raises."""


Open = Callable[[], Lights]
"""Opens a driver. Raises DeviceError with one sentence."""
