"""In: a scene, seconds, a short row of LEDs (the 2-Mic HATs have three). Out: one frame for it."""

from __future__ import annotations

from appliance.events import State
from appliance.panel.colour import BLUE, GREEN, OFF, PINK, RED, SKY, WHITE, YELLOW, Frame, dim, over
from appliance.panel.patterns import ring
from appliance.panel.patterns.wave import bar, blink, breath, fade, solid
from appliance.panel.scene import Scene
from appliance.panel.shape import Shape

FLASH_S = 0.25


def _sweep(count: int, place: float) -> tuple[float, ...]:
    """A soft light at `place` (0..count-1), as a share a pixel."""
    return tuple(max(0.0, 1.0 - abs(pixel - place) / 1.1) for pixel in range(count))


def _to_and_fro(t_s: float, period_s: float, count: int) -> float:
    """A place that swings between both ends."""
    return breath(t_s, period_s) * (count - 1)


def updating(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """How far it is as a blue bar; a white glint runs along."""
    glint = _sweep(shape.count, t_s * 2.0 % (shape.count + 1) - 1)
    done = bar(shape.count, scene.value or 0.0, dim(BLUE, 0.8))
    return over(done, tuple(dim(WHITE, 0.5 * share) for share in glint))


def starting(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """White, slowly to and fro."""
    return tuple(dim(WHITE, 0.8 * share) for share in _sweep(shape.count, _to_and_fro(t_s, 2.0, shape.count)))


def button(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """As on a ring, with a row's own flash."""
    return ring.button(scene, t_s, shape, FLASH_S)


def timer_ringing(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Pink and white change places twice a second."""
    swap = blink(t_s, 0.5)
    return tuple(PINK if (pixel % 2 == 0) == swap else dim(WHITE, 0.25) for pixel in range(shape.count))


def listening(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """A blue flash at the wake word, then a chase; all glow with the voice."""
    place = (1.2 * t_s + 1.8 * (scene.heard_s or 0.0)) * 1.5 % (shape.count + 0.6) - 0.3
    glow = max(0.10 + 0.35 * scene.level, fade(t_s, FLASH_S))
    chase = tuple(dim(SKY if share > 0.7 else BLUE, share) for share in _sweep(shape.count, place))
    return over(solid(shape.count, dim(BLUE, glow)), chase)


def thinking(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Both ends pulse, yellow."""
    pulse = breath(t_s, 0.7, 0.25)
    ends = (0, shape.count - 1)
    return tuple(dim(YELLOW, pulse if pixel in ends else 0.12 * pulse) for pixel in range(shape.count))


def replying(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """Green, lit throughout, chasing the other way."""
    place = shape.count - 1 + 0.3 - 1.8 * t_s % (shape.count + 0.6)
    return tuple(dim(GREEN, max(0.3, share)) for share in _sweep(shape.count, place))


def not_ready(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """One red light at a time, at changing places."""
    if scene.reason == "deaf":
        return ring.deaf(t_s, shape)
    step = int(t_s / 0.7)
    lit = (step * 2 + step // shape.count) % shape.count
    return tuple(dim(RED, 0.8 * breath(t_s, 0.7)) if pixel == lit else OFF for pixel in range(shape.count))


def timer_running(scene: Scene, t_s: float, shape: Shape) -> Frame:
    """What is left as a dim pink bar."""
    return bar(shape.count, max(scene.value or 0.0, 0.12), dim(PINK, 0.45))


PATTERNS = ring.PATTERNS | {
    State.UPDATING: updating,
    State.STARTING: starting,
    State.BUTTON: button,
    State.TIMER_RINGING: timer_ringing,
    State.LISTENING: listening,
    State.THINKING: thinking,
    State.REPLYING: replying,
    State.NOT_READY: not_ready,
    State.TIMER_RUNNING: timer_running,
}
"""What does not run around is the same on both."""
