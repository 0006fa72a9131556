"""In: the newest frame or film, at any pace. Out: frames at a driver, on a thread; nobody ever waits for a light.

The handover holds one of them: a newer one takes the place of one that was not begun yet. A driver that fails is opened
again with a growing pause and given what is newest then.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from appliance.errors import DeviceError
from appliance.panel.colour import Frame
from appliance.panel.drivers.protocol import Lights, Open

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
Report = Callable[[DeviceError | None], None]
"""What is wrong with the LEDs, or None when they work again. Called on the lamp's thread."""
Draw = Callable[[float], Frame]
"""The frame at a time (monotonic seconds); pure, called on the lamp's thread."""


@dataclass(frozen=True, slots=True)
class _Job:
    draw: Draw
    brightness: float
    frame_s: float | None
    """Seconds from a frame to the next; None: one frame, which stands."""


@dataclass(slots=True)
class Counters:
    sent: int = 0
    superseded: int = 0
    """Frames that a newer one replaced before they were sent."""
    failures: int = 0


class Lamp:
    """One driver on its thread. `show` never blocks."""

    def __init__(self, open_lights: Open, report: Report = lambda error: None) -> None:
        self._open = open_lights
        self._report = report
        self._pending: _Job | None = None
        self._newest: _Job | None = None
        self._rung = False
        self._closing = False
        self._lock = threading.Lock()
        self._bell: SimpleQueue[None] = SimpleQueue()  # holds a ring for the pending frame, one for the end
        # daemon: a USB transfer that hangs must not hold up the end of the program
        self._thread = threading.Thread(target=self._run, name="lamp", daemon=True)
        self._expected_s: float | None = None
        self.counters = Counters()
        self.delays_ms: deque[float] = deque(maxlen=20)
        """`led_ms`: from a wake word to the first lit frame at the driver, the last of them."""
        self.problem: DeviceError | None = None

    def start(self) -> None:
        """Opens the driver, beside the caller."""
        self._thread.start()

    def show(self, frame: Frame, brightness: float) -> None:
        """Hands over the newest frame."""
        self._hand_over(_Job(lambda now_s: frame, brightness, None), at_once=True)

    def play(self, draw: Draw, brightness: float, frame_s: float, at_once: bool = True) -> None:
        """Hands over a film: a frame every `frame_s` seconds until something else is handed over.

        `at_once=False` lets a film that plays go over to this one at its next frame, which wakes nobody.
        """
        self._hand_over(_Job(draw, brightness, frame_s), at_once)

    def _hand_over(self, job: _Job, at_once: bool) -> None:
        with self._lock:
            self.counters.superseded += self._pending is not None
            self._pending = self._newest = job
            ring, self._rung = at_once and not self._rung, self._rung or at_once
        if ring:
            self._bell.put(None)

    def expect(self, at_s: float) -> None:
        """Something happened at `at_s` (monotonic): the next lit frame's delay is measured from it."""
        self._expected_s = at_s

    def close(self, timeout_s: float = 0.5) -> None:
        """Sends what is pending, lets the driver go; waits `timeout_s` for that at the most."""
        self._closing = True
        self._bell.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # -- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._closing:
            lights: Lights | None = None
            began_s = time.monotonic()
            try:
                lights = self._open()
                self._tell(None)
                self._again()
                self._serve(lights)
            except DeviceError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001
                # this loop supervises a driver: whatever a native library raises must not end it
                self._failed(DeviceError("leds", f"The LEDs' driver failed: {type(error).__name__} {error}."))
            finally:
                if lights is not None:
                    lights.close()
            if time.monotonic() - began_s > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            self._wait(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    def _failed(self, error: DeviceError) -> None:
        self.counters.failures += 1
        self._tell(error)

    def _serve(self, lights: Lights) -> None:
        """Sends frames until the lamp is closed; what was handed over before that is sent first."""
        playing: _Job | None = None
        sent: tuple[Frame, float] | None = None
        due_s = 0.0
        while True:
            job = self._take()
            if job is None:
                if self._closing:
                    return
                if playing is None or (left_s := due_s - time.monotonic()) > 0:
                    with contextlib.suppress(Empty):
                        self._bell.get(timeout=None if playing is None else left_s)
                    continue
                job = playing
            now_s = time.monotonic()
            picture = (job.draw(now_s), job.brightness)
            if picture != sent:
                self._send(lights, *picture)
                sent = picture
            playing = job if job.frame_s is not None else None
            pace_s = job.frame_s or 0.0
            due_s = (
                due_s + pace_s if due_s <= now_s < due_s + pace_s else now_s + pace_s
            )  # an even pace, no catching up

    def _take(self) -> _Job | None:
        with self._lock:
            job, self._pending, self._rung = self._pending, None, False
            return job

    def _send(self, lights: Lights, frame: Frame, brightness: float) -> None:
        lights.show(frame, brightness)
        self.counters.sent += 1
        if self._expected_s is not None and any(map(any, frame)):
            self.delays_ms.append((time.monotonic() - self._expected_s) * 1000)
            self._expected_s = None

    def _again(self) -> None:
        """A driver that was opened anew gets what is shown."""
        with self._lock:
            if self._pending is None:
                self._pending = self._newest

    def _wait(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while not self._closing and (left_s := end_s - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                self._bell.get(timeout=left_s)

    def _tell(self, error: DeviceError | None) -> None:
        before, self.problem = self.problem, error
        if (before and before.message) != (error and error.message):
            if error is not None:
                log.warning("LEDs: %s Trying again.", error)
            elif before is not None:
                log.info("LEDs: they work again.")
            self._report(error)
