"""In: a request. Out: what the suite named in it measured. Adding a suite: one file, and one entry in SUITES."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.bench import (
    barge,
    commands,
    echo,
    household,
    idle,
    latency,
    near,
    selfwake,
    startup,
    telemetry,
    tts,
    wake,
)
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import UsageError


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite as the command line knows it."""

    help: str
    run: Callable[[Request], SuiteResult]
    """Blocks until measured. Raises ApplianceError where it cannot run at all."""


def _wake(request: Request) -> SuiteResult:
    params = wake.WakeParams(
        word=request.word or request.settings.wake.words[0],
        data=request.folder("wake"),
        negatives=request.negatives,
        noise=request.noise,
        snr_db=request.snr_db,
        limit=request.limit,
    )
    request.progress(0, 1, params.word)
    result = wake.run(params, request.settings.wake, request.models.wake)
    return replace(result, variant="noise" if request.snr_db else "")


def _tts(request: Request) -> SuiteResult:
    texts = _lines(request) if request.data is not None else tts.SENTENCES
    texts = texts[: request.limit]
    request.progress(0, 1, f"{len(texts)} sentences")
    return asyncio.run(tts.run(texts, settings=request.settings, models=request.models))


def _lines(request: Request) -> tuple[str, ...]:
    """The sentences of a text file, one a line. Raises UsageError for a file that holds none."""
    assert request.data is not None
    try:
        lines = [line.strip() for line in request.data.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("no-text", f"--data {request.data}: this is no text file that can be read.") from error
    texts = tuple(line for line in lines if line)
    if not texts:
        raise UsageError("no-text", f"--data {request.data}: the file holds no sentence.")
    return texts


SUITES: dict[str, Suite] = {
    "wake": Suite("the wake engine over recordings: missed, taken wrongly, time, load", _wake),
    "commands": Suite("spoken commands: understood, refused, by noise; time and memory", commands.run),
    "near": Suite("sentences beside the grammar: done though not said, refused, asked back; calibration", near.run),
    "echo": Suite("recorded echo: how much of the device's own voice is removed, how much of the person's", echo.run),
    "barge": Suite("replies interrupted in a room that hears them: silence, and what is understood", barge.run),
    "latency": Suite("turns in real time: every stage's times, cut-offs", latency.run),
    "selfwake": Suite("the device's own replies, loudly heard: whether they wake it", selfwake.run),
    "household": Suite("two days of a family: hits of the caches, replies prepared in time and in vain", household.run),
    "idle": Suite("a quiet room: processor, memory, threads, descriptors, writes", idle.run),
    "telemetry": Suite("what watching and telling takes: processor, bytes to the broker", telemetry.run),
    "tts": Suite("sentences spoken: first sample, real-time factor, cache", _tts),
    "startup": Suite("from exec to ready, by child", startup.run),
}
