"""In: recordings over the socket. Out: the same blocks a microphone would give, at a chosen pace.

speed 1: real time in 10 ms blocks (30 ms where nobody listens) with absolute deadlines, so that no drift builds up; X: X
times faster; between recordings a nearly silent room. speed 0: as fast as the consumers take it, and nothing is ever lost:
- silence flows only while a `listen` is active and for TAIL_S behind a recording: a wake word at its end fires there;
- while a listener has more than BACKLOG blocks untaken, the feed waits;
- after a detection outside of a `listen` the feed waits for listen, listen-stop or mute, DECISION_S at the most.
A recording with `hold` waits for a `listen`, whatever the pace: it begins when the button's turn begins.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from appliance.engines.sound.pcm import RATE_HZ, Samples, ms
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.wire.message import Message
from appliance.wire.sound import Fed

TAIL_S = 1.0
DECISION_S = 2.0
IDLE_BLOCKS = 3
"""Blocks given at once while nothing is to be heard: the wake words' own stride, so that nothing comes later."""
BACKLOG = 64
"""Blocks of 32 ms: 2 s of audio under way to the supervisor."""
MOST_S = 4 * 3600.0
"""Audio that may wait in the queue."""
DITHER_SEED = 2


@dataclass(slots=True)
class Recording:
    """One fed recording; `tell` takes the `fed` messages, on the feed's thread."""

    name: str
    samples: Samples
    hold: bool
    tell: Callable[[Message], None]
    dropped: bool = False
    """Whoever gave it is gone: the rest of it is not played."""


class Pacer:
    """Absolute deadlines: block k is due at start + k · length, however late the ones before were."""

    def __init__(
        self,
        seconds_per_sample: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = seconds_per_sample
        self._clock, self._sleep = clock, sleep
        self._start_s = clock()
        self._samples = 0

    def wait(self, samples: int) -> float:
        """Sleeps until `samples` more would have been captured; the due time in seconds."""
        self._samples += samples
        due_s = self._start_s + self._samples * self._seconds
        if (left := due_s - self._clock()) > 0:
            self._sleep(left)
        return due_s


class FeedSource:
    """Takes the microphone's place. One thread of its own."""

    problem: str | None = None
    blocked = False
    noisy = False

    def __init__(self, speed: float, ear: SoundPipeline, backlog: Callable[[], int]) -> None:
        """`backlog` tells how many blocks a listener has not taken yet; it is called on the feed's thread."""
        self.paced = speed > 0
        self._ear = ear
        self._backlog = backlog
        self._block = 160 if self.paced else 480
        self._ns_per_sample = 1e9 / RATE_HZ / speed if self.paced else 0.0
        self._pacer = Pacer(self._ns_per_sample / 1e9)
        noise = np.random.default_rng(DITHER_SEED).integers(-1, 2, RATE_HZ, dtype=np.int16)
        self._silence = noise
        self._silence_at = 0
        self._queue: deque[Recording] = deque()
        self._playing: Recording | None = None
        self._waiting_samples = 0
        self._change = threading.Condition()
        self._decided = threading.Event()
        self._tail = 0
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="feed", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._decided.set()
        self.wake_up()

    def watch(self) -> None:
        """Nothing to repair here."""

    def counters(self) -> dict[str, float]:
        return {"feed_waiting_s": round(self._waiting_samples / RATE_HZ, 3)}

    def put(self, recording: Recording) -> bool:
        """Queues a recording; False where more than MOST_S would wait."""
        if self._waiting_samples + len(recording.samples) > MOST_S * RATE_HZ:
            return False
        with self._change:
            self._queue.append(recording)
            self._waiting_samples += len(recording.samples)
            self._change.notify()
        return True

    def forget(self, tell: Callable[[Message], None]) -> None:
        """Whoever listened with `tell` is gone: what is left of their recordings must not be heard in others' turns."""
        with self._change:
            for recording in (self._playing, *self._queue):
                if recording is not None and recording.tell == tell:
                    recording.dropped = True
            self._change.notify()

    def decided(self) -> None:
        """The supervisor answered a detection, or began or ended listening."""
        self._decided.set()
        self.wake_up()

    def wake_up(self) -> None:
        """Something changed that the feed may wait for."""
        with self._change:
            self._change.notify()

    def _run(self) -> None:
        while not self._stopped:
            recording = self._next()
            if recording is not None:
                self._play(recording)
            elif not self._stopped:
                idle = self.paced and not self._ear.listening
                self._give(self._quiet(self._block * (IDLE_BLOCKS if idle else 1)))

    def _next(self) -> Recording | None:
        """The recording that begins now; None: one block of silence."""
        with self._change:
            while not self._stopped:
                while self._queue and self._queue[0].dropped:
                    self._waiting_samples -= len(self._queue.popleft().samples)
                if self._queue and (self._ear.listening or not self._queue[0].hold):
                    self._playing = self._queue.popleft()
                    return self._playing
                if self.paced or self._tail > 0 or (self._ear.listening and not self._queue):
                    self._tail = max(0, self._tail - self._block)
                    return None
                self._change.wait(0.5)
        return None

    def _play(self, recording: Recording) -> None:
        first, samples = self._ear.position, recording.samples
        for start in range(0, len(samples), self._block):
            self._give(samples[start : start + self._block])
            if start == 0:
                self._tell(recording, first, done=False)
            if self._stopped or recording.dropped:
                break
        with self._change:
            self._playing = None
            self._waiting_samples -= len(samples)
        self._tail = int(TAIL_S * RATE_HZ)
        if not recording.dropped:
            self._tell(recording, first + len(samples), done=True)

    def _tell(self, recording: Recording, position: int, done: bool) -> None:
        behind_ns = int((self._ear.position - position) * self._ns_per_sample)
        recording.tell(Fed(recording.name, ms(position), self._ear.last_frame_ns - behind_ns, done))

    def _quiet(self, count: int) -> Samples:
        if self._silence_at + count > len(self._silence):
            self._silence_at = 0
        self._silence_at += count
        return self._silence[self._silence_at - count : self._silence_at]

    def _give(self, samples: Samples) -> None:
        if self.paced:
            due_s = self._pacer.wait(len(samples))
            self._ear.take(samples, int(due_s * 1e9), self._ns_per_sample)
            return
        while self._backlog() > BACKLOG and not self._stopped:
            time.sleep(0.001)
        self._decided.clear()
        if self._ear.take(samples, time.monotonic_ns(), 0.0) and not self._ear.listening:
            self._decided.wait(DECISION_S)
