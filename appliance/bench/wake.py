"""In: folders of recordings with and without a wake word. Out: how often it is missed, wrongly heard, how fast and cheap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.bench.measuring import measured
from appliance.bench.percentile import percentile
from appliance.bench.result import SuiteResult
from appliance.errors import UsageError, WakeError
from appliance.settings.sound import WakeSettings
from appliance.wire.child import ModelFile

PROGRAM = "appliance.engines.sound.measure"
AUDIO = {".flac", ".wav", ".ogg", ".mp3"}
PAUSE_S = 0.5
"""Silence added to every recording that holds no wake word, and counted as audio without one."""
POSITIVE_PAUSE_S = 1.0
"""The same after a wake word: the refractory time must be over when the next recording begins."""
SLOWEST = 0.5
"""The measuring may take this many seconds a second of audio before it counts as hung."""


@dataclass(frozen=True, slots=True)
class WakeParams:
    """What to measure."""

    word: str
    data: Path
    """Folder with a folder a word."""
    negatives: tuple[Path, ...] = ()
    """Folders, searched below, without the word."""
    noise: Path | None = None
    snr_db: tuple[float, ...] = ()
    """With `noise`: the whole set once at each ratio."""
    limit: int | None = None
    """Recordings of either kind at the most."""
    seed: int = 7


def run(params: WakeParams, settings: WakeSettings, models: Sequence[ModelFile] = ()) -> SuiteResult:
    """Measures; blocks for about 1 % of the audio's length. Raises UsageError for folders without recordings and
    WakeError where the engine cannot run."""
    positives, negatives = recordings(params)
    if bool(params.noise) != bool(params.snr_db):
        raise UsageError("bad-noise", "--noise and --snr belong together.")
    measures: dict[str, float | None] = {}
    details: list[dict[str, Any]] = []
    errors: list[str] = []
    for snr_db in params.snr_db or (None,):
        found = _measure(params, settings, models, positives, negatives, snr_db)
        errors += [str(entry["error"]) for entry in found if "error" in entry]
        details += [entry | {"snr_db": snr_db} for entry in found if "error" not in entry]
        if len(params.snr_db) > 1:
            of_this = [entry for entry in details if entry["snr_db"] == snr_db]
            measures |= {f"{name}@{snr_db:g}db": value for name, value in judge(of_this, params.word).items()}
    measures = judge(details, params.word) | measures
    return SuiteResult("wake", len(details), measures, details, _notes(measures, params, errors))


def recordings(params: WakeParams) -> tuple[list[Path], list[Path]]:
    """The recordings with the word and those without. Raises UsageError where there are none with it."""
    folder = params.data / params.word
    positives = _audio(folder)
    if not positives:
        raise UsageError("no-recordings", f"There are no recordings of '{params.word}' in {folder}.")
    for negative in params.negatives:
        if not negative.is_dir():
            raise UsageError("no-folder", f"--negatives {negative} is no folder.")
    elsewhere = [
        file for other in sorted(params.data.iterdir()) if other.is_dir() and other != folder for file in _audio(other)
    ]
    elsewhere += [file for negative in params.negatives for file in _audio(negative) if folder not in file.parents]
    negatives = list(dict.fromkeys(elsewhere))
    return positives[: params.limit], negatives[: params.limit]


def _audio(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in AUDIO) if folder.is_dir() else []


def _measure(
    params: WakeParams,
    settings: WakeSettings,
    models: Sequence[ModelFile],
    positives: list[Path],
    negatives: list[Path],
    snr_db: float | None,
) -> list[dict[str, Any]]:
    pauses = [(file, True, POSITIVE_PAUSE_S) for file in positives] + [(file, False, PAUSE_S) for file in negatives]
    jobs = [
        {"file": str(file), "pause_s": pause_s, "snr_db": snr_db, "seed": params.seed + number}
        for number, (file, _, pause_s) in enumerate(pauses)
    ]
    request = {
        "wake": settings.model_copy(update={"words": (params.word,)}).model_dump(mode="json"),
        "models": [model.tree() for model in models],
        "noise": None if params.noise is None else str(params.noise),
        "jobs": jobs,
    }
    lines = measured(PROGRAM, request, 60.0 + SLOWEST * 20.0 * len(jobs), "wake engine", WakeError)
    return [line | {"positive": positive} for line, (_, positive, _) in zip(lines, pauses, strict=True)]


def judge(details: Sequence[dict[str, Any]], word: str) -> dict[str, float | None]:
    """The measures of MEASURES.md, from what the ear heard in each recording."""
    positives = [entry for entry in details if entry["positive"]]
    negatives = [entry for entry in details if not entry["positive"]]
    first = [next((heard for heard in entry["heard"] if heard["name"] == word), None) for entry in positives]
    late_ms = sorted(
        1000 * (heard["at_s"] - entry["end_s"])
        for heard, entry in zip(first, positives, strict=True)
        if heard is not None
    )
    accepts = sum(1 for entry in negatives for heard in entry["heard"] if heard["name"] == word)
    hours = sum(entry["audio_s"] for entry in negatives) / 3600
    audio_s = sum(entry["audio_s"] for entry in details)
    return {
        "wake.miss_rate": first.count(None) / len(first) if first else None,
        "wake.false_accepts": float(accepts),
        "wake.negative_hours": hours,
        "wake.false_accepts_per_hour": accepts / hours if hours else None,
        "wake.false_accepts_per_hour_upper95": poisson_upper(accepts) / hours if hours else None,
        "wake.wake_ms.p50": percentile(late_ms, 50),
        "wake.wake_ms.p95": percentile(late_ms, 95),
        "wake.cpu_ratio": sum(entry["cpu_s"] for entry in details) / audio_s if audio_s else None,
    }


def poisson_upper(events: int, confidence: float = 0.95) -> float:
    """The largest mean at which so few events still have a chance of 1 - confidence (Garwood 1936, one-sided, exact)."""
    low, high = 0.0, 10.0 + 3.0 * events
    for _ in range(60):
        middle = (low + high) / 2
        chance = sum(math.exp(k * math.log(middle) - middle - math.lgamma(k + 1)) for k in range(events + 1))
        low, high = (middle, high) if chance > 1 - confidence else (low, middle)
    return high


def _notes(measures: dict[str, float | None], params: WakeParams, errors: list[str]) -> tuple[str, ...]:
    notes = [f"Not measured: {error}" for error in errors]
    if measures["wake.negative_hours"] == 0:
        notes.append("No recordings without the word: false accepts could not be measured.")
    if params.noise is not None:
        notes.append(
            f"Noise {params.noise.name} at {', '.join(f'{snr:g}' for snr in params.snr_db)} dB, seed {params.seed}."
        )
    return tuple(notes)
