"""In: a list of recordings on standard input (JSON). Out: what the recogniser made of each, a JSON line a recording.

The recogniser is the child's own, fed 100 ms at a time; only its CPU time is counted, not the reading of files.
Input: {"config": ChildConfig, "grammar": file or null, "noise": file or null, "jobs": [{"file", "snr_db", "seed"}]}.
Output: {"file", "audio_s", "cpu_s", "final_ms", "pss_mb", "transcript": {…}} or {"file", "error"}. A line {"ready": engine,
"prepare_ms", "compile_cpu_s", "loaded_mb", "ready_mb", …} comes first.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engines.measuring import answer
from appliance.engines.memory import give_back, let_go_of_files, memory_mb
from appliance.engines.recordings import Noise, load, mix
from appliance.engines.stt.choose import choose
from appliance.engines.stt.protocol import RATE_HZ
from appliance.errors import ApplianceError
from appliance.wire.child import ChildConfig
from appliance.wire.stt import Transcribe

CHUNK = RATE_HZ // 10
PAUSE_S = 0.2
"""Quiet behind each recording: the end-of-speech decision is no sooner."""
PREPARE_S = 60.0


class Measure:
    """One recogniser, an utterance a recording."""

    def __init__(self, request: dict[str, Any]) -> None:
        started_s = time.process_time()
        self._recogniser = choose(ChildConfig.of(request["config"]))
        self._request = Transcribe(grammar=request["grammar"])
        let_go_of_files()
        loaded_mb, loaded_s = memory_mb(), time.process_time()
        began = time.perf_counter()
        if (pending := self._recogniser.prepare(self._request)) is not None:
            pending.result(PREPARE_S)
        give_back()
        self.facts = {
            "prepare_ms": (time.perf_counter() - began) * 1000,
            "load_cpu_s": loaded_s - started_s,
            "compile_cpu_s": time.process_time() - loaded_s,
            "loaded_mb": loaded_mb,
            "ready_mb": memory_mb(),
        }
        self._noise = None if request["noise"] is None else Noise(Path(request["noise"]))
        self._jobs: list[dict[str, Any]] = request["jobs"]

    def run(self) -> Iterator[dict[str, Any]]:
        """A result for every job, in order."""
        yield {"ready": self._recogniser.name, **self.facts}
        for job in self._jobs:
            try:
                yield self._measure(job)
            except ApplianceError as error:
                yield {"file": job["file"], "error": error.message}

    def _measure(self, job: dict[str, Any]) -> dict[str, Any]:
        speech, pause = load(Path(job["file"])), int(PAUSE_S * RATE_HZ)
        audio = np.concatenate((speech, np.zeros(pause, np.int16)))
        if job["snr_db"] is not None and self._noise is not None:
            audio = mix(speech, self._noise, job["snr_db"], pause, np.random.default_rng(job["seed"]))
        samples = audio.astype(np.float32) / np.float32(32768)
        before_s = time.process_time()
        utterance = self._recogniser.utterance(self._request)
        for at in range(0, len(samples), CHUNK):
            utterance.accept(samples[at : at + CHUNK])
        end_s = time.process_time()
        transcript = utterance.finish()
        after_s = time.process_time()
        self._recogniser.rest()
        return {
            "file": job["file"],
            "audio_s": len(samples) / RATE_HZ,
            "cpu_s": after_s - before_s,
            "final_ms": (after_s - end_s) * 1000,
            "pss_mb": memory_mb(),
            "transcript": asdict(transcript),
        }


if __name__ == "__main__":
    sys.exit(answer(lambda request: Measure(request).run()))
