"""In: frames. Out: LEDs on GPIO pins: one RGB LED of three pins, or plain ones, dimmed by pulse width where that works."""

from __future__ import annotations

from gpiozero import LED, PWMLED, RGBLED
from gpiozero.exc import PinPWMUnsupported

from appliance.errors import DeviceError
from appliance.panel.colour import Frame, light
from appliance.panel.drivers.pins import Pins

PLAIN_ON = 128
"""Perceived lightness from which a LED that cannot be dimmed is lit."""
DUTY_STEP = 0.01
"""gpiozero gives lgpio whole percents of pulse width and cuts off the rest."""
DARK = 8
"""Perceived lightness up to which nothing is lit, as on the LEDs with a chip (`colour.light_8bit`)."""


def duty(value: int, brightness: float) -> float:
    """Pulse width, 0..1, of a channel value 0..255. What is not dark stays visible: at night, too."""
    if value <= DARK or brightness <= 0:
        return 0.0
    return max(DUTY_STEP, light(value, brightness))


class RgbLights:
    """One RGB LED."""

    def __init__(self, pins: Pins, numbers: tuple[int, ...]) -> None:
        """`numbers`: red, green, blue. Raises DeviceError."""
        if len(numbers) != 3:
            raise DeviceError("bad-pins", "panel.led_pins: an RGB LED has three pins: red, green, blue.")
        with pins.taking(numbers[0]) as factory:
            self._led = RGBLED(*numbers, pin_factory=factory)

    def show(self, frame: Frame, brightness: float) -> None:
        red, green, blue = frame[0]
        self._led.color = (duty(red, brightness), duty(green, brightness), duty(blue, brightness))

    def close(self) -> None:
        self._led.close()


class PlainLights:
    """Plain LEDs, one a pin."""

    def __init__(self, pins: Pins, numbers: tuple[int, ...]) -> None:
        """Raises DeviceError."""
        if not numbers:
            raise DeviceError("bad-pins", "panel.led_pins: plain LEDs need the number of their pin.")
        self._leds: list[LED | PWMLED] = []
        try:
            for number in numbers:
                with pins.taking(number) as factory:
                    self._leds.append(_led(number, factory))
        except DeviceError:
            self.close()
            raise

    def show(self, frame: Frame, brightness: float) -> None:
        for led, colour in zip(self._leds, frame, strict=False):
            if isinstance(led, PWMLED):
                led.value = duty(max(colour), brightness)
            else:
                led.value = brightness > 0 and max(colour) >= PLAIN_ON

    def close(self) -> None:
        for led in self._leds:
            led.close()


def _led(number: int, factory: object) -> LED | PWMLED:
    try:
        return PWMLED(number, pin_factory=factory)
    except PinPWMUnsupported:
        return LED(number, pin_factory=factory)
