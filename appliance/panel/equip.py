"""In: settings and the board that is here. Out: the LEDs' shape, how to open their driver, and the button's pin."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.panel.boards.board import Board, LightsOf
from appliance.panel.boards.detect import Roots, detect
from appliance.panel.boards.registry import by_name
from appliance.panel.drivers.apa102 import Apa102
from appliance.panel.drivers.gpio import PlainLights, RgbLights
from appliance.panel.drivers.pins import Pins
from appliance.panel.drivers.powered import Powered
from appliance.panel.drivers.protocol import Lights, Open
from appliance.panel.drivers.usb_ring import UsbRing
from appliance.panel.drivers.virtual import VirtualLights
from appliance.panel.drivers.ws2812 import Ws2812
from appliance.panel.shape import Kind, Shape
from appliance.settings.panel import PanelSettings

ROW_MOST = 8
"""Own LEDs up to this many are a row, more a ring."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the panel has to work with. `shape` and `open_lights` are None where there are no LEDs."""

    board: Board | None
    why: str
    shape: Shape | None
    open_lights: Open | None
    button_pin: int | None


def choose(settings: PanelSettings, roots: Roots | None = None) -> tuple[Board | None, str]:
    """The board and why it is this one. Raises SettingsError for a name nobody knows. Blocks for milliseconds."""
    if settings.board == "none":
        return None, "panel.board is none"
    if settings.board != "auto":
        return by_name(settings.board), f"panel.board is {settings.board}"
    found = detect(roots)
    for one in found:
        if one.board is not None:
            return one.board, one.why
    return None, found[0].why if found else "no HAT EEPROM, no codec on I2C, no USB array"


def equip(settings: PanelSettings, pins: Pins, roots: Roots | None = None) -> Equipment:
    """Puts settings and board together. Raises SettingsError."""
    board, why = choose(settings, roots)
    lights = _lights(settings, board)
    pin = settings.button_pin if settings.button_pin is not None else (board.button_pin if board else None)
    if lights is None:
        return Equipment(board, why, None, None, pin)
    shape = lights.shape
    if settings.led_count is not None:
        shape = replace(shape, count=settings.led_count)
    return Equipment(board, why, shape, _opener(lights, shape, pins), pin)


def _lights(settings: PanelSettings, board: Board | None) -> LightsOf | None:
    if settings.leds == "none":
        return None
    if settings.leds == "board":
        lights = board.lights if board is not None else None
        return replace(lights, spi=settings.spi) if lights is not None else None
    if settings.leds == "rgb":
        return LightsOf("rgb", Shape(Kind.RGB, 1), pins=settings.led_pins)
    if settings.leds == "plain":
        return LightsOf("plain", Shape(Kind.PLAIN, max(1, len(settings.led_pins))), pins=settings.led_pins)
    count = settings.led_count or 12
    power = board.lights.power_pin if board is not None and board.lights is not None else None
    kind = Kind.ROW if count <= ROW_MOST else Kind.RING
    return LightsOf(settings.leds, Shape(kind, count), spi=settings.spi, power_pin=power)


def _opener(lights: LightsOf, shape: Shape, pins: Pins) -> Open:
    def bare() -> Lights:
        match lights.driver:
            case "apa102":
                return Apa102(lights.spi)
            case "ws2812":
                return Ws2812(lights.spi)
            case "rgb":
                return RgbLights(pins, lights.pins)
            case "plain":
                return PlainLights(pins, lights.pins)
            case "usb":
                return UsbRing(lights.usb_product or 0)
            case "virtual":
                return VirtualLights(shape)

    def powered() -> Lights:
        assert lights.power_pin is not None
        return Powered(pins, lights.power_pin, bare)

    return bare if lights.power_pin is None else powered
