"""In: seconds, positions. Out: the curves and strokes that patterns are made of."""

from __future__ import annotations

import math

from appliance.panel.colour import OFF, RGB, Frame, dim


def breath(t_s: float, period_s: float, low: float = 0.0) -> float:
    """`low` → 1 → `low` as a cosine, starting low."""
    return low + (1 - low) * (0.5 - 0.5 * math.cos(2 * math.pi * t_s / period_s))


def fade(t_s: float, length_s: float) -> float:
    """1 → 0 within `length_s`, then 0."""
    return max(0.0, 1.0 - t_s / length_s)


def blink(t_s: float, period_s: float, on: float = 0.5) -> bool:
    """On for the share `on` of every period, starting on."""
    return t_s % period_s < period_s * on


def twinkle(pixel: int, t_s: float, period_s: float = 0.9) -> float:
    """A pixel's own glimmer, 0..1: in each period some pixels rise and fall. The same for the same time, always."""
    cycle, phase = divmod(t_s / period_s + pixel * 0.381966, 1.0)  # the golden angle spreads neighbours in time
    draw = (pixel * 73856093 ^ int(cycle) * 19349663) % 97 / 97
    return math.sin(math.pi * phase) ** 2 if draw > 0.55 else 0.0


def solid(count: int, colour: RGB) -> Frame:
    return (colour,) * count


def comet(count: int, head: float, length: float, colour: RGB, reverse: bool = False) -> Frame:
    """A head at pixel position `head` with a tail of `length` pixels behind it; `reverse`: it runs backwards."""
    pixels = []
    for pixel in range(count):
        behind = (pixel - head if reverse else head - pixel) % count
        if behind < length:
            pixels.append(dim(colour, (1.0 - behind / length) ** 1.6))
        else:
            pixels.append(dim(colour, behind - (count - 1)))  # the head is between two pixels: the next one wakes
    return tuple(pixels)


def spot(count: int, centre: float, width: float, colour: RGB) -> Frame:
    """A round spot on a ring, `width` pixels to each side."""
    pixels = []
    for pixel in range(count):
        away = abs((pixel - centre + count / 2) % count - count / 2)
        pixels.append(dim(colour, max(0.0, 1.0 - away / width)))
    return tuple(pixels)


def bar(count: int, share: float, colour: RGB) -> Frame:
    """The first `share` (0..1) of the pixels, the last of them in part."""
    filled = min(1.0, max(0.0, share)) * count
    return tuple(dim(colour, filled - pixel) if filled > pixel else OFF for pixel in range(count))
