"""In: microphone blocks from a source's thread. Out: detections, near misses and, between listen and listen-stop, audio.

Without a `listen` nothing but scores and levels ever leaves this object: that is the privacy promise.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from appliance.engines.sound.capture.ring import Ring
from appliance.engines.sound.echo.ducking import WakeDucking
from appliance.engines.sound.pcm import FLOOR_DBFS, RATE_HZ, Samples, level_dbfs, ms
from appliance.engines.sound.vad import WINDOW, Vad
from appliance.engines.sound.wake.decision import Decision, Verdict
from appliance.engines.sound.wake.protocol import WakeEngine
from appliance.wire.message import Message
from appliance.wire.sound import STOP_WORD, Detection, Heard, NearWake

if TYPE_CHECKING:
    from appliance.settings.sound import SoundSettings, WakeSettings

IDLE_BLOCK = 480
"""Idle, samples are handled 30 ms at a time, the stride of the wake models; listening, as they come."""
LEVELS = 100
"""Levels kept of the last blocks: 3 s while idle."""
QUIET_DB = 25.0
"""A word this far above the room's noise is in a quiet room. 162 alexa, 0.71 h without it: with 0.2 off the cutoff of 0.9
only here, 1 is missed instead of 7; under kitchen noise at 10 dB false accepts stay at 2 (0.7 everywhere: 15)."""
ASK_SCORE = 0.3
"""Below this no cutoff can be reached and the room need not be judged."""
WARM_WINDOWS = 8
"""Windows before the first sent one that the voice activity detector hears, so that it does not start cold."""


class SoundPipeline:
    """Ring buffer, wake words, voice activity. `take` runs on the source's thread, all else on the event loop's."""

    def __init__(
        self,
        sound: SoundSettings,
        wake: WakeSettings,
        engine: WakeEngine | None,
        vad: Vad,
        emit: Callable[[Message], None],
    ) -> None:
        """`emit` is called on the source's thread and must neither block nor fail."""
        self._lock = threading.Lock()
        self._ring = Ring(int((sound.preroll_s + 0.1) * RATE_HZ))
        self._engine = engine
        self._vad = vad
        self._emit = emit
        self._decisions = tuple(Decision(word, wake) for word in (engine.words if engine else ()))
        self.ducking = WakeDucking([word.name for word in (engine.words if engine else ())])
        self.on_suspicion: Callable[[bool], None] = lambda suspected: None
        """Told when a wake word seems to be under way while the device speaks, and when that is over; as `emit` is."""
        self.person: Callable[[], bool] = lambda: True
        """Whether more than the device's own echo was just heard; asked while it speaks. Of the echo canceller."""
        self._suspected = False
        self._held: list[Samples] = []
        self._held_count = 0
        self._unscored = np.zeros(0, dtype=np.int16)
        self._levels: deque[float] = deque(maxlen=LEVELS)
        self._cursor: int | None = None
        self._end_ns = time.monotonic_ns()
        self._ns_per_sample = 1e9 / RATE_HZ
        self.muted = False
        self.speaking = False
        """The device's own voice is in the room: wake words need a higher score, and only now the stop word counts."""
        self.position = 0
        """Samples captured since the start."""
        self.zeros = 0
        """Samples since the last one that was not zero."""
        self.inferences = 0
        self.detections = 0
        self.wake_cpu_s = 0.0
        """CPU time that the wake words took, seconds."""

    @property
    def listening(self) -> bool:
        return self._cursor is not None

    @property
    def last_frame_ns(self) -> int:
        """CLOCK_MONOTONIC of the newest sample; of the start where there was none yet."""
        return self._end_ns

    def take(self, samples: Samples, end_ns: int, ns_per_sample: float = 1e9 / RATE_HZ) -> bool:
        """Newly captured samples, the last of them at `end_ns` (CLOCK_MONOTONIC). True if a wake word was heard in them."""
        with self._lock:
            self.position += len(samples)
            self._end_ns, self._ns_per_sample = end_ns, ns_per_sample
            self.zeros = 0 if samples.any() else self.zeros + len(samples)
            if self.muted:
                self._ring.skip(len(samples))
                return False
            self._held.append(samples)
            self._held_count += len(samples)
            if self._held_count < IDLE_BLOCK and self._cursor is None:
                return False
            return self._hear()

    def listen(self, from_ms: int | None) -> None:
        """Begins to send audio from `from_ms` on, or from the oldest sample there is where that is later."""
        with self._lock:
            start = self.position if from_ms is None else from_ms * RATE_HZ // 1000
            self._cursor = max(start, self._ring.start)
            self._vad.reset()
            warm_from = max(self._ring.start, self._cursor - WARM_WINDOWS * WINDOW)
            for at in range(warm_from, min(self._cursor, self._ring.end) - WINDOW + 1, WINDOW):
                self._vad.probability(self._ring.cut(at, at + WINDOW))

    def stop_listening(self) -> None:
        """Sends no more audio."""
        with self._lock:
            self._cursor = None

    def mute(self, muted: bool) -> None:
        """Closes or opens the microphone; what was heard before is forgotten either way."""
        with self._lock:
            if muted == self.muted:
                return
            self.muted = muted
            self._ring.skip(self._held_count)
            self._forget()

    def forget(self) -> None:
        """The stream was interrupted: words must not be pieced together across the gap."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._held, self._held_count = [], 0
        self._unscored = self._unscored[:0]
        self._ring.skip(self.position - self._ring.end)
        self._levels.clear()
        if self._cursor is not None:
            self._cursor = self._ring.end
        if self._engine is not None:
            self._engine.reset()
        self.ducking.forget(self.position)
        self._suspect(False)

    def _hear(self) -> bool:
        block = self._held[0] if len(self._held) == 1 else np.concatenate(self._held)
        self._held, self._held_count = [], 0
        self._ring.put(block)
        self._levels.append(level_dbfs(block))
        began_s = time.thread_time()
        woke = self._score(block)
        self.wake_cpu_s += time.thread_time() - began_s
        self._send()
        return woke

    def _score(self, block: Samples) -> bool:
        if self._engine is None:
            return False
        step, woke = self._engine.step, False
        self._unscored = np.concatenate((self._unscored, block)) if len(self._unscored) else block
        while len(self._unscored) >= step:
            piece, self._unscored = self._unscored[:step], self._unscored[step:]
            scores = self._engine.take(piece.tobytes())
            if scores is None:
                continue
            self.inferences += len(scores)
            position = self._ring.end - len(self._unscored)
            own = self.speaking and not self.person()
            suspects = [0.0] * len(scores) if own else self._engine.latest
            self._suspect(self.ducking.take(position, suspects, self.speaking))
            quiet = max(scores) > ASK_SCORE and self._quiet()
            for decision, score in zip(self._decisions, scores, strict=True):
                verdict = decision.take(position, score, self.speaking, quiet, own)
                if decision.name == STOP_WORD and not self.speaking:
                    continue  # judged all the same: a word said before the reply must not count in it
                woke |= verdict is not None and self._tell(verdict, position)
        return woke

    def _suspect(self, suspected: bool) -> None:
        if suspected != self._suspected:
            self._suspected = suspected
            self.on_suspicion(suspected)

    def _tell(self, verdict: Verdict, position: int) -> bool:
        if verdict.near:
            self._emit(NearWake(verdict.name, round(verdict.score, 3)))
            return False
        assert self._engine is not None
        if verdict.name != STOP_WORD:  # somebody may well say "stop" and the wake word in one breath
            for decision in self._decisions:
                decision.rest(position)
        peak_dbfs, noise_dbfs = self._room()
        self.ducking.confirm(position)
        self.detections += 1
        self._emit(
            Detection(
                name=verdict.name,
                timestamp=max(0, ms(position) - self._engine.tail_ms),
                score=round(verdict.score, 4),
                mono_ns=time.monotonic_ns(),
                level_dbfs=round(peak_dbfs, 1),
                noise_dbfs=round(noise_dbfs, 1),
            )
        )
        return True

    def _room(self) -> tuple[float, float]:
        """Loudest and tenth quietest per cent of the last blocks, dBFS: the word and the room behind it."""
        levels = sorted(self._levels)
        return (levels[-1], levels[len(levels) // 10]) if levels else (FLOOR_DBFS, FLOOR_DBFS)

    def _quiet(self) -> bool:
        peak_dbfs, noise_dbfs = self._room()
        return peak_dbfs - noise_dbfs >= QUIET_DB

    def _send(self) -> None:
        """Sends every whole window between the cursor and now."""
        while self._cursor is not None and self._ring.end - self._cursor >= WINDOW:
            start = max(self._cursor, self._ring.start)
            window = self._ring.cut(start, start + WINDOW)
            self._cursor = start + WINDOW
            self._emit(
                Heard(
                    timestamp=ms(start),
                    mono_ns=self._end_ns - int((self._ring.end - self._cursor) * self._ns_per_sample),
                    speech=round(self._vad.probability(window), 3),
                    level_dbfs=round(level_dbfs(window), 1),
                    audio=window.tobytes(),
                )
            )
