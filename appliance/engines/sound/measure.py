"""In: a list of recordings on standard input (JSON). Out: where the ear heard its wake words, a JSON line a recording.

The ear is the child's own, fed as fast as it takes the blocks; only its CPU time is counted, not the reading of files.
Input: {"wake": settings, "models": [...], "noise": file or null, "jobs": [{"file", "pause_s", "snr_db", "seed"}]}.
Output: {"file", "audio_s", "end_s", "cpu_s", "heard": [{"name", "at_s", "timestamp_s", "score"}], "near": [{"name",
"score"}]} or, for a file that cannot be read, {"file", "error"}.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engines.measuring import answer
from appliance.engines.recordings import load, mix
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.engines.sound.pipeline import IDLE_BLOCK, SoundPipeline
from appliance.engines.sound.vad import EnergyVad
from appliance.engines.sound.wake import open_engine
from appliance.errors import AudioFileError
from appliance.settings.sound import SoundSettings, WakeSettings
from appliance.wire.child import ModelFile
from appliance.wire.message import Message
from appliance.wire.sound import Detection, NearWake

DECAY_DB = 34.0
"""End of speech: the last 10 ms frame within this many dB of the loudest one."""


def end_of_speech_s(samples: Samples) -> float:
    """Seconds to the end of the last 10 ms frame within DECAY_DB of the loudest one."""
    frames = samples[: len(samples) // 160 * 160].astype(np.float64).reshape(-1, 160)
    energy = (frames**2).mean(axis=1)
    loud: Any = np.flatnonzero(energy > energy.max() * 10 ** (-DECAY_DB / 10)) if len(energy) else []
    return (int(loud[-1]) + 1) * 0.01 if len(loud) else 0.0


class Measure:
    """One ear through all recordings, as a device hears them: one after another, never reset."""

    def __init__(self, request: dict[str, Any]) -> None:
        wake = WakeSettings(**request["wake"])
        models = [ModelFile.of(model) for model in request["models"]]
        self._heard: list[Message] = []
        self._ear = SoundPipeline(
            SoundSettings(source="feed"), wake, open_engine(wake, models), EnergyVad(), self._heard.append
        )
        self._noise = None if request["noise"] is None else load(Path(request["noise"]))
        self._jobs: list[dict[str, Any]] = request["jobs"]

    def run(self) -> Iterator[dict[str, Any]]:
        """A result for every job, in order."""
        for job in self._jobs:
            try:
                yield self._measure(job)
            except AudioFileError as error:
                yield {"file": job["file"], "error": error.message}

    def _measure(self, job: dict[str, Any]) -> dict[str, Any]:
        speech, pause = load(Path(job["file"])), int(job["pause_s"] * RATE_HZ)
        if job["snr_db"] is None or self._noise is None:
            audio = np.concatenate((speech, np.zeros(pause, dtype=np.int16)))
        else:
            audio = mix(speech, self._noise, job["snr_db"], pause, np.random.default_rng(job["seed"]))
        audio = audio[: len(audio) // IDLE_BLOCK * IDLE_BLOCK]
        start, cpu_s, heard, near = self._ear.position, 0.0, [], []
        for at in range(0, len(audio), IDLE_BLOCK):
            block = audio[at : at + IDLE_BLOCK]
            before_s = time.thread_time()
            self._ear.take(block, 0)
            cpu_s += time.thread_time() - before_s
            now_s = (self._ear.position - start) / RATE_HZ
            for message in self._heard:
                if isinstance(message, Detection):
                    told_s = message.timestamp / 1000 - start / RATE_HZ
                    heard.append({"name": message.name, "at_s": now_s, "timestamp_s": told_s, "score": message.score})
                elif isinstance(message, NearWake):
                    near.append({"name": message.name, "score": message.score})
            self._heard.clear()
        return {
            "file": job["file"],
            "audio_s": len(audio) / RATE_HZ,
            "end_s": end_of_speech_s(speech),
            "cpu_s": cpu_s,
            "heard": heard,
            "near": near,
        }


if __name__ == "__main__":
    sys.exit(answer(lambda request: Measure(request).run()))
