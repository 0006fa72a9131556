"""In: LEDs whose supply is switched by a GPIO (4-Mic and 6-Mic: GPIO5 high). Out: the same, with the supply on."""

from __future__ import annotations

from gpiozero import DigitalOutputDevice

from appliance.panel.colour import Frame
from appliance.panel.drivers.pins import Pins
from appliance.panel.drivers.protocol import Lights, Open


class Powered:
    """Switches the supply on, opens the LEDs; switches it off after them."""

    def __init__(self, pins: Pins, number: int, open_lights: Open) -> None:
        """Raises DeviceError."""
        with pins.taking(number) as factory:
            self._supply = DigitalOutputDevice(number, initial_value=True, pin_factory=factory)
        try:
            self._lights: Lights = open_lights()
        except BaseException:
            self._supply.close()
            raise

    def show(self, frame: Frame, brightness: float) -> None:
        self._lights.show(frame, brightness)

    def close(self) -> None:
        self._lights.close()
        self._supply.close()
