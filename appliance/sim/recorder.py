"""In: a process that writes 16 kHz samples as they sound. Out: what was recorded, and when each sample sounded."""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time

import numpy as np
from numpy.typing import NDArray

from appliance.sim.sound_server import end_process

RATE_HZ = 16000
Samples = NDArray[np.int16]


class Recorder:
    """What a sink plays, from the recorder's first sample on, and when: the sound server's samples are 20 ms old."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._data = bytearray()
        self._origin_s = math.inf
        self._reader = threading.Thread(target=self._read, name="recorder", daemon=True)
        self._reader.start()

    @property
    def begun(self) -> bool:
        return bool(self._data)

    def samples(self, since: int = 0) -> Samples:
        """16 kHz mono, all that was recorded so far, from sample `since` on."""
        data = bytes(self._data[2 * since :])
        return np.frombuffer(data[: len(data) // 2 * 2], dtype=np.int16)

    def place(self, at_s: float) -> int:
        """The sample that sounded at `at_s` on time.monotonic: the pieces that came soonest tell, to some 10 ms."""
        return max(0, round((at_s - self._origin_s) * RATE_HZ))

    def time_s(self, place: int) -> float:
        """When sample `place` sounded, time.monotonic."""
        return self._origin_s + place / RATE_HZ

    def stop(self) -> Samples:
        """Ends the recording; what it holds."""
        end_process(self._process)
        self._reader.join(timeout=2.0)
        return self.samples()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while data := os.read(pipe.fileno(), 65536):
                self._data += data
                self._origin_s = min(self._origin_s, time.monotonic() - len(self._data) / 2 / RATE_HZ)
