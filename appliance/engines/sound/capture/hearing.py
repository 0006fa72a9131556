"""In: source and ear, a few times a second. Out: whether the ear hears, is muted or deaf, and why."""

from __future__ import annotations

import logging
import time

from appliance.engines.sound.pcm import RATE_HZ
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.protocol import Source
from appliance.events import Hearing
from appliance.wire.sound import EarChanged

log = logging.getLogger(__name__)

ZEROS_S = 10.0
"""A living microphone's noise moves the lowest bits; so many seconds of nothing but zeros come from a dead one."""


class HearingMonitor:
    """Judges one ear; on the event loop."""

    def __init__(self, source: Source, ear: SoundPipeline, stall_s: float) -> None:
        """`stall_s`: a source at a known pace that gave nothing for this long is a fault."""
        self._source = source
        self._ear = ear
        self._stall_s = stall_s
        self.state = EarChanged(Hearing.DEAF, "The microphone has given no audio yet.")

    def look(self) -> EarChanged | None:
        """What it is now, where that is new."""
        now = self._judge()
        if now == self.state:
            return None
        if now.hearing != self.state.hearing:
            level = logging.WARNING if now.hearing == Hearing.DEAF else logging.INFO
            log.log(level, "ear: %s %s", now.hearing, now.reason or "")
        self.state = now
        return now

    def age_s(self) -> float:
        """Seconds since the last frame of the microphone."""
        return max(0.0, (time.monotonic_ns() - self._ear.last_frame_ns) / 1e9)

    def _judge(self) -> EarChanged:
        source = self._source
        if source.paced and self.age_s() > self._stall_s:
            return EarChanged(Hearing.DEAF, source.problem or "The microphone gives no audio.")
        if self._ear.muted:
            return EarChanged(Hearing.MUTED)
        if source.paced and self._ear.position == 0:
            return self.state if source.problem is None else EarChanged(Hearing.DEAF, source.problem)
        if source.noisy and self._ear.zeros >= ZEROS_S * RATE_HZ:
            return EarChanged(Hearing.DEAF, "The microphone gives nothing but zeros.")
        return EarChanged(Hearing.HEARING)
