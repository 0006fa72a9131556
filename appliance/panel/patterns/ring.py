"""In: a scene, seconds, a ring. Out: one frame for it. Pixel 0 is at the board's mark, numbers grow clockwise."""

from __future__ import annotations

from appliance.events import State
from appliance.panel.colour import BLUE, GREEN, OFF, ORANGE, PINK, RED, RGB, SKY, WHITE, YELLOW, Frame, dim, over
from appliance.panel.patterns.wave import bar, blink, breath, comet, fade, solid, spot, twinkle
from appliance.panel.scene import Scene
from appliance.panel.shape import Shape

SLOW_HZ = 0.5
"""Turns a second while waiting for the first word (Voice PE: slow spin)."""
FAST_HZ = 1.25
"""Turns a second while words come (Voice PE: fast spin)."""
FLASH_S = 0.3


def updating(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """How far it is as a blue arc, and a white glint that runs along while it advances."""
    done = scene.value if scene.value is not None else 0.0
    glint = comet(shape.count, t_s * shape.count * 0.8 % shape.count, 2.0, dim(WHITE, 0.7))
    return over(bar(shape.count, done, dim(BLUE, 0.8)), glint)


def starting(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """One white spark with a long tail, slowly."""
    return comet(shape.count, t_s * shape.count * 0.4 % shape.count, shape.count * 0.7, dim(WHITE, 0.8))


def button(scene: Scene, t_s: float, shape: Shape, flash_s: float = FLASH_S) -> Frame:
    """A white flash under the finger; held on, red fills the LEDs until it mutes. Reset: orange drains, then blinks."""
    share = scene.value or 0.0
    if scene.reason == "reset":
        return solid(shape.count, ORANGE if blink(t_s, 0.3) else OFF) if share <= 0 else bar(shape.count, share, ORANGE)
    flash = solid(shape.count, dim(WHITE, 0.8 * fade(t_s, flash_s)))
    return over(flash, bar(shape.count, (share - 0.2) / 0.8, RED))


def volume(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """A white bar from the first LED; its track stays faintly visible."""
    return over(solid(shape.count, dim(WHITE, 0.07)), bar(shape.count, scene.value or 0.0, WHITE))


def timer_ringing(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Two halves of the ring, pink and white, change places twice a second."""
    swap = blink(t_s, 0.5)
    half = shape.count // 2
    return tuple(PINK if (pixel < half) == swap else dim(WHITE, 0.25) for pixel in range(shape.count))


def listening(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Blue: a flash, then a spin, faster with the first word; the ring glows with the voice, a spot sits where it is."""
    count = shape.count
    turns = SLOW_HZ * t_s + (FAST_HZ - SLOW_HZ) * (scene.heard_s or 0.0)
    glow = max(0.10 + 0.35 * scene.level, 0.9 * fade(t_s, FLASH_S))
    layers = [solid(count, dim(BLUE, glow)), comet(count, turns * count % count, count / 2.4, BLUE)]
    if scene.direction_deg is not None:
        layers.append(spot(count, shape.place(scene.direction_deg), 1.3 + 1.5 * scene.level, SKY))
    return over(*layers)


def thinking(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Two opposite LEDs pulse, yellow (Voice PE)."""
    pulse = breath(t_s, 0.7, 0.25)
    side = {shape.count // 4, shape.count // 4 + shape.count // 2}
    near = {(pixel + step) % shape.count for pixel in side for step in (-1, 1)}
    return tuple(
        dim(YELLOW, pulse if pixel in side else 0.22 * pulse if pixel in near else 0.0) for pixel in range(shape.count)
    )


def replying(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Two green comets, against the clock (Voice PE: reverse spin)."""
    count, head = shape.count, -t_s * shape.count * 0.75
    two = (comet(count, (head + offset) % count, count / 2.2, GREEN, reverse=True) for offset in (0, count / 2))
    return over(solid(count, dim(GREEN, 0.12)), *two)


def error(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """All pulse red."""
    return solid(shape.count, dim(RED, breath(t_s + 0.3, 0.6, 0.15)))


def at_microphones(shape: Shape, colour: RGB) -> Frame:
    """The LEDs beside a microphone alone."""
    ears = shape.microphones()
    return tuple(colour if pixel in ears else OFF for pixel in range(shape.count))


def deaf(t_s: float, shape: Shape) -> Frame:
    """The microphones alone breathe orange, as covered ears."""
    return at_microphones(shape, dim(ORANGE, breath(t_s, 2.0, 0.2)))


def not_ready(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Red twinkles."""
    if scene.reason == "deaf":
        return deaf(t_s, shape)
    return tuple(dim(RED, 0.8 * twinkle(pixel, t_s)) for pixel in range(shape.count))


def timer_running(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """What is left as a dim pink arc that shrinks."""
    return bar(shape.count, max(scene.value or 0.0, 0.25 / shape.count), dim(PINK, 0.45))


def muted(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Red at the microphones, still."""
    return at_microphones(shape, dim(RED, 0.75))


def idle(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Dark."""
    return solid(shape.count, OFF)


PATTERNS = {
    State.UPDATING: updating,
    State.STARTING: starting,
    State.BUTTON: button,
    State.VOLUME: volume,
    State.TIMER_RINGING: timer_ringing,
    State.LISTENING: listening,
    State.THINKING: thinking,
    State.REPLYING: replying,
    State.ERROR: error,
    State.NOT_READY: not_ready,
    State.TIMER_RUNNING: timer_running,
    State.MUTED: muted,
    State.IDLE: idle,
}
