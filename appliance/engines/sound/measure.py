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
import soundfile
from numpy.typing import NDArray

from appliance.engines.measuring import answer
from appliance.engines.sound.ear import IDLE_BLOCK, Ear
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.engines.sound.resample import Resampler
from appliance.engines.sound.vad import EnergyVad
from appliance.engines.sound.wake import open_engine
from appliance.errors import AudioFileError
from appliance.settings.child import ModelFile
from appliance.settings.sound import SoundSettings, WakeSettings
from appliance.wire.message import Message
from appliance.wire.sound import Detection, NearWake

FRAME = 2048
"""The published benchmark's frame: the energies of the loudest ones set the signal-to-noise ratio."""
DECAY_DB = 34.0
"""End of speech: the last 10 ms frame within this many dB of the loudest one."""


def load(file: Path) -> Samples:
    """16 kHz mono S16, the first channel. Raises AudioFileError naming the file."""
    try:
        samples, rate_hz = soundfile.read(str(file), dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError("bad-audio", f"{file} cannot be read as audio ({error}).") from error
    if not len(samples):
        raise AudioFileError("empty-audio", f"{file} holds no audio.")
    mono = np.ascontiguousarray(samples[:, 0], dtype=np.int16)
    if rate_hz == RATE_HZ:
        return mono
    resampler = Resampler(rate_hz, RATE_HZ)
    return np.concatenate((resampler.take(mono), resampler.flush()))


def end_of_speech_s(samples: Samples) -> float:
    """Seconds to the end of the last 10 ms frame within DECAY_DB of the loudest one."""
    frames = samples[: len(samples) // 160 * 160].astype(np.float64).reshape(-1, 160)
    energy = (frames**2).mean(axis=1)
    loud: Any = np.flatnonzero(energy > energy.max() * 10 ** (-DECAY_DB / 10)) if len(energy) else []
    return (int(loud[-1]) + 1) * 0.01 if len(loud) else 0.0


def mix(speech: Samples, noise: Samples, snr_db: float, pause: int, rng: np.random.Generator) -> Samples:
    """`speech` and `pause` samples more under a random stretch of `noise` (repeated where it is short)."""
    length = len(speech) + pause
    start = int(rng.integers(0, max(1, len(noise) - length)))
    stretch = np.resize(noise[start:], length).astype(np.float64)
    scale = np.sqrt(_loudest(speech.astype(np.float64)) / (_loudest(stretch) * 10 ** (snr_db / 10) + 1e-9))
    mixed = stretch * scale
    mixed[: len(speech)] += speech
    peak = float(np.abs(mixed).max(initial=1.0))
    return np.asarray(np.rint(mixed * min(1.0, 32767 / peak)), dtype=np.int16)


def _loudest(samples: NDArray[np.float64]) -> float:
    count = max(1, len(samples) // FRAME)
    frames = np.resize(samples, count * FRAME).reshape(count, FRAME)
    return float((frames**2).mean(axis=1).max())


class Measure:
    """One ear through all recordings, as a device hears them: one after another, never reset."""

    def __init__(self, request: dict[str, Any]) -> None:
        wake = WakeSettings(**request["wake"])
        models = [ModelFile(**model) for model in request["models"]]
        self._heard: list[Message] = []
        self._ear = Ear(SoundSettings(source="feed"), wake, open_engine(wake, models), EnergyVad(), self._heard.append)
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
