"""In: colours as people see them. Out: mixed and dimmed colours, and the light an LED has to give for them.

The palette is Okabe and Ito's (Color Universal Design, 2008), made more vivid for LEDs: its members stay apart for
people with protanopia, deuteranopia and tritanopia. A state is told by its motion as well, never by colour alone.
"""

from __future__ import annotations

from functools import lru_cache

RGB = tuple[int, int, int]
"""Red, green, blue, 0..255, perceived (sRGB-like)."""
Frame = tuple[RGB, ...]
"""One colour a pixel."""

OFF: RGB = (0, 0, 0)
WHITE: RGB = (255, 244, 229)
BLUE: RGB = (0, 96, 255)
SKY: RGB = (120, 214, 255)
YELLOW: RGB = (255, 200, 0)
GREEN: RGB = (0, 190, 120)
RED: RGB = (255, 24, 0)
ORANGE: RGB = (255, 120, 0)
PINK: RGB = (255, 88, 190)

GAMMA = 2.2
"""Perceived lightness to light: an LED's light grows linearly with its duty cycle, the eye's answer does not."""
_LIGHT: tuple[float, ...] = tuple(float((value / 255) ** GAMMA) for value in range(256))


def dim(colour: RGB, share: float) -> RGB:
    """`colour` at `share` (0..1, clipped) of its perceived lightness."""
    if share <= 0.0:
        return OFF
    if share >= 1.0:
        return colour
    red, green, blue = colour
    return (int(red * share + 0.5), int(green * share + 0.5), int(blue * share + 0.5))


def lighten(one: RGB, other: RGB) -> RGB:
    """Both on one pixel: the brighter of each channel."""
    return (max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2]))


def over(*layers: Frame) -> Frame:
    """Frames of one length laid over each other."""
    first, *rest = layers
    for layer in rest:
        first = tuple(map(lighten, first, layer))
    return first


def light(value: int, brightness: float) -> float:
    """Duty cycle, 0..1, of a channel value 0..255 at `brightness` 0..1."""
    return _LIGHT[value] * brightness


def light_8bit(colour: RGB, brightness: float) -> RGB:
    """Linear bytes for an LED. What is not dark stays visible: at least 1, unless `brightness` is 0."""
    table = _table(brightness)
    return (table[colour[0]], table[colour[1]], table[colour[2]])


@lru_cache(8)
def _table(brightness: float) -> bytes:
    """Value 0..255 → linear byte. A panel has two brightnesses, so that this is made twice, not 30 times a second."""
    if brightness <= 0:
        return bytes(256)
    return bytes(max(1, round(255 * light(value, brightness))) if value > 8 else 0 for value in range(256))
