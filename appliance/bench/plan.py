"""In: one folder of recordings, laid out by kind. Out: the request of every suite, each with the data that it wants.

`wake/WORD/*`, `commands/home` (home.json), `commands/coffee` (sentences.yaml), `commands/near` (home.json),
`commands/local`, `noise/*`, `echo/`: a suite whose folder is missing is left out (`barge` and `selfwake` also without
a virtual card); those without data always run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from appliance.bench.request import Request
from appliance.bench.suites import SUITES
from appliance.sim.card import missing

NOISE_SNR_DB = (24.0, 21.0, 18.0, 15.0, 12.0, 9.0, 6.0)
"""Levels of the published speech-to-intent benchmark."""
WAKE_SNR_DB = (10.0,)
WITHOUT_DATA = ("direction", "tts", "household", "startup", "idle", "telemetry")


def everything(request: Request) -> list[tuple[str, Request]]:
    """(suite, request) in the order in which they shall run. Raises UsageError where --data is no folder."""
    root = request.folder("all")
    planned = [*_wake(request, root), *_commands(request, root), *_latency(request, root)]
    if (root / "commands" / "near").is_dir():
        planned.append(("near", replace(request, data=root / "commands" / "near", noise=None, snr_db=())))
    if (root / "echo").is_dir():
        planned.append(("echo", replace(request, data=root / "echo")))
    if (root / "wake").is_dir() and (root / "commands" / "local").is_dir() and missing() is None:
        planned += [("barge", replace(request, data=root)), ("selfwake", replace(request, data=None))]
    planned += [(suite, replace(request, data=None)) for suite in WITHOUT_DATA]
    return [(suite, wanted) for suite, wanted in planned if suite in SUITES]


def _wake(request: Request, root: Path) -> Iterator[tuple[str, Request]]:
    word = request.word or request.settings.wake.words[0]
    if not (root / "wake" / word).is_dir():
        return
    others = tuple(folder for name in ("commands", "echo") if (folder := root / name).is_dir())
    clean = replace(request, data=root / "wake", word=word, negatives=(*request.negatives, *others))
    yield "wake", clean
    if noise := _noise(request, root):
        yield "wake", replace(clean, noise=noise, snr_db=request.snr_db or WAKE_SNR_DB)


def _commands(request: Request, root: Path) -> Iterator[tuple[str, Request]]:
    home, coffee = root / "commands" / "home", root / "commands" / "coffee"
    if home.is_dir():
        yield "commands", replace(request, data=home, noise=None, snr_db=())
    if coffee.is_dir():
        own = tuple(sorted(coffee.glob("sentences.y*ml")))
        noise = _noise(request, root)
        levels = (request.snr_db or NOISE_SNR_DB) if noise else ()
        yield "commands", replace(request, data=coffee, sentences=own, noise=noise, snr_db=levels)


def _latency(request: Request, root: Path) -> Iterator[tuple[str, Request]]:
    if (root / "commands" / "local").is_dir():
        yield "latency", replace(request, data=root / "commands" / "local")


def _noise(request: Request, root: Path) -> Path | None:
    """The noise that was given, else the first recording in `noise/`."""
    return request.noise or next(iter(sorted((root / "noise").glob("*.*"))), None)
