"""In: the sound card. Out: live 16 kHz mono blocks to the ear; a source that heals itself and says what ails it.

A read of a stopped sound server blocks for ever, so reading is a daemon thread's and `watch` (on the event loop) tells
that it hangs. There is nothing to gain from a second thread: the read comes back when the server goes on (what it then
gives is stale and dropped) or dies (then it fails and the card is opened again).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

import alsaaudio

from appliance.engines.sound.capture.card import open_pcm, probe
from appliance.engines.sound.capture.freshness import Freshness
from appliance.engines.sound.capture.front_end import FrontEnd
from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.errors import DeviceError

if TYPE_CHECKING:
    from appliance.settings.sound import SoundSettings

log = logging.getLogger(__name__)

RETRY_FIRST_S, RETRY_MOST_S = 0.1, 2.0
"""Upper ends of the full-jitter back-off: a card that comes back is heard within 2 s."""
BLOCK_S = 0.01
"""`front_end_ms` is the CPU time for so much audio, whatever the period."""
BUFFER_MS = 500.0
"""Room for a reader that is held up; the card's own limit may be less."""


class AlsaSource:
    """The microphone. `start` never fails: a missing card is a reason to be deaf, not to die."""

    paced = True
    noisy = True

    def __init__(self, settings: SoundSettings, ear: SoundPipeline, echo: Echo | None) -> None:
        self._settings = settings
        self._echo = echo
        self._ear = ear
        self._attempt = 0
        self._busy_since_s = time.monotonic()
        self._stopping = threading.Event()
        self.problem: str | None = None
        self._counts = dict.fromkeys(("xruns", "reopens", "stale_ms", "capture_ms", "front_end_ms"), 0.0)

    def start(self) -> None:
        self._busy_since_s = time.monotonic()
        threading.Thread(target=self._run, name="capture", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def counters(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in self._counts.items()}

    @property
    def blocked(self) -> bool:
        """The driver or the sound server hangs: opening anything now would hang as well."""
        return time.monotonic() - self._busy_since_s > self._settings.stall_s

    def watch(self) -> None:
        """Finds out whether the card hangs. To be called a few times a second, on the event loop."""
        if self.blocked:
            self.problem = f"The microphone '{self._settings.capture}' gives no audio: its driver or server hangs."

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except (DeviceError, alsaaudio.ALSAAudioError) as error:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        said = (
            str(error)
            if isinstance(error, DeviceError)
            else f"The microphone '{self._settings.capture}' failed: {error}."
        )
        if said != self.problem:
            log.warning("capture: %s", said)
        self.problem = said
        self._counts["reopens"] += 1
        wait_s = random.uniform(0, min(RETRY_MOST_S, RETRY_FIRST_S * 2.0 ** min(self._attempt, 10)))
        self._attempt += 1
        self._busy_since_s = time.monotonic() + wait_s
        self._stopping.wait(wait_s)
        self._busy_since_s = time.monotonic()

    def _read(self) -> None:
        """Opens the card and reads until it fails."""
        wished = self._settings
        probe("capture", wished.capture)
        pcm, shape = open_pcm("capture", wished.capture, wished.rate_hz, wished.channels, wished.period_ms, BUFFER_MS)
        try:
            front_end = FrontEnd(shape, wished.channel, self._echo)
            pcm.read()  # an idle sink may take up to 2 s for its first period: the clocks are compared from here on
            freshness = Freshness(wished.stall_s)
            self._interrupted()
            self._stream(pcm, front_end, freshness, shape.rate_hz)
        finally:
            pcm.close()

    def _stream(self, pcm: alsaaudio.PCM, front_end: FrontEnd, freshness: Freshness, rate_hz: int) -> None:
        dropped, known_stale_s = False, 0.0
        while not self._stopping.is_set():
            asked_s = time.monotonic()
            self._busy_since_s = asked_s
            frames, period = pcm.read()
            now_s = time.monotonic()
            if frames <= 0:
                self._gap(frames)
                continue
            if not freshness.take(now_s, frames / rate_hz, now_s - asked_s):
                self._counts["stale_ms"] += (freshness.stale_s - known_stale_s) * 1000
                known_stale_s, dropped = freshness.stale_s, True
                continue
            if dropped:
                self._interrupted()
                dropped = False
            self.problem, self._attempt = None, 0
            self._counts["capture_ms"] += 0.01 * (1000 * freshness.wait_s - self._counts["capture_ms"])
            began_s = time.thread_time()
            samples = front_end.take(period)
            block_ms = (time.thread_time() - began_s) * 1000 * BLOCK_S * rate_hz / frames
            self._counts["front_end_ms"] += 0.01 * (block_ms - self._counts["front_end_ms"])
            if len(samples):  # none while the echo's processor takes its start
                self._ear.take(samples, int(now_s * 1e9))

    def _gap(self, result: int) -> None:
        """An overrun (pyalsaaudio 0.11 says -32 once and goes on) or another failure of the read."""
        if result != -32:
            raise DeviceError("read-failed", f"The microphone '{self._settings.capture}' stopped (ALSA says {result}).")
        self._counts["xruns"] += 1
        self._interrupted()

    def _interrupted(self) -> None:
        """Audio is missing from here on."""
        self._ear.forget()
        if self._echo is not None:
            self._echo.interrupted()
