"""In: labelled recordings. Out: real-time turns of the real program: every stage's times, cut-offs, what was right."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from appliance import app
from appliance.bench.labels import Label, read_labels
from appliance.bench.percentile import summary
from appliance.bench.program import wait_calm
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import UsageError
from appliance.events import MEASURES_MS, Outcome
from appliance.replay.feed import feed_settings
from appliance.replay.player import Played, Player
from appliance.replay.recording import load
from appliance.settings import Settings


def _off(section: str, **fields: Any) -> Callable[[Settings], Settings]:
    """Settings with fields of one section changed."""

    def change(settings: Settings) -> Settings:
        changed = getattr(settings, section).model_copy(update=fields)
        return settings.model_copy(update={section: changed})

    return change


PARTS: dict[str, Callable[[Settings], Settings]] = {
    "flush": _off("conversation", flush=False),
    "prepare": _off("conversation", prepare=False),
    "cache": _off("tts", cache_mb=0, warm=False),
    "grammar": _off("stt", engine="sherpa"),
}
"""What `--without` can switch off."""


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A recording, what it holds, and the turn it made."""

    label: Label
    played: Played
    without: str | None = None

    @property
    def right(self) -> bool:
        record = self.played.record
        return self.label.right(record.intent, record.slots)

    @property
    def cut_off(self) -> bool | None:
        """Whether the program decided before the last sample of speech; None where it decided nothing.

        Where nobody marked the end, the energy rule may take a breath behind the last word for speech: then an early
        decision counts only if what was understood is not right.
        """
        endpoint_ms = self.played.record.ms.get("endpoint")
        if endpoint_ms is None:
            return None
        return endpoint_ms < 0 and (self.label.end_of_speech_s is not None or not self.right)

    def row(self) -> dict[str, Any]:
        """The turn for the report; `marks` and `partials` are in ms since the turn's first sample."""
        record, ms = self.played.record, self.played.record.ms
        listen = next((mark for mark in record.marks if mark.stage == "listen"), None)
        endpoint_ms = ms.get("endpoint")
        return {
            "file": self.played.recording.file.name,
            "without": self.without,
            "outcome": record.outcome.value,
            "right": self.right,
            "cut_off": self.cut_off,
            "text": self.label.text,
            "transcript": record.transcript,
            "intent": record.intent,
            "slots": record.slots,
            "ms": {name: ms.get(name) for name in MEASURES_MS},
            "prepared": record.prepared,
            "cached": record.cached,
            "speech_end_ms": None if listen is None or endpoint_ms is None else listen.end_ms - endpoint_ms,
            "marks": [[mark.stage, mark.start_ms, mark.end_ms] for mark in record.marks],
            "partials": [[round(at_ms, 1), text] for at_ms, text in record.partials],
        }


def run(request: Request) -> SuiteResult:
    """Plays every recording once in real time, and once more without each part of `request.without`.

    Raises UsageError for unusable data or an unknown part, EngineError where the sound engine cannot be fed.
    """
    for part in request.without:
        if part not in PARTS:
            raise UsageError("no-part", f"--without knows {', '.join(PARTS)}, not '{part}'.")
    labels = read_labels(request.folder("latency"))[: request.limit]
    turns: list[LabelledTurn] = []
    runs: tuple[str | None, ...] = (None, *request.without)
    for without in runs:
        turns += asyncio.run(_turns(request, labels, without))
    return judged(turns)


def judged(turns: list[LabelledTurn]) -> SuiteResult:
    """The measures of turns that were played."""
    whole = [turn for turn in turns if turn.without is None]
    measures = _measures(whole)
    for part in dict.fromkeys(turn.without for turn in turns if turn.without is not None):
        of_part = _measures([turn for turn in turns if turn.without == part])
        for name in ("response_ms.p50", "response_ms.p95", "endpoint_ms.p50", "right_rate", "cut_off_rate"):
            measures[f"latency.without_{part}.{name}"] = of_part[f"latency.{name}"]
    return SuiteResult("latency", len(whole), measures, [turn.row() for turn in turns], _notes(whole, measures))


def _measures(turns: list[LabelledTurn]) -> dict[str, float | None]:
    records = [turn.played.record for turn in turns]
    measures: dict[str, float | None] = {}
    for name in MEASURES_MS:
        measures |= summary(f"latency.{name}_ms", (record.ms.get(name) for record in records))
    measures["latency.cut_off_rate"] = share([turn.cut_off for turn in turns])
    measures["latency.right_rate"] = share([turn.right for turn in turns])
    measures["latency.error_rate"] = share([record.outcome is Outcome.FAILED for record in records])
    measures["latency.prepared_rate"] = share([record.prepared == "hit" for record in records])
    measures["latency.cached_rate"] = share([record.cached for record in records])
    return measures


def share(answers: list[bool | None]) -> float | None:
    """Share of yes among those that are known; None where none is."""
    known = [answer for answer in answers if answer is not None]
    return round(sum(known) / len(known), 4) if known else None


async def _turns(request: Request, labels: list[Label], without: str | None) -> list[LabelledTurn]:
    settings = request.settings if without is None else PARTS[without](request.settings)
    home = request.home or _home_of(request.folder("latency"))
    turns: list[LabelledTurn] = []
    with tempfile.TemporaryDirectory(prefix="appliance-latency-") as folder:
        settings = feed_settings(settings, Path(folder), 1.0, home, request.sentences)
        async with app.running(settings, request.models) as appliance:
            await appliance.wait_ready()
            request.progress(0, len(labels), "waiting until the start is over")
            await asyncio.to_thread(wait_calm, [psutil.Process(c.pid) for c in appliance.children if c.pid is not None])
            player = Player(appliance, request.turn, real_time=True)
            for number, label in enumerate(labels):
                request.progress(number, len(labels), f"{label.file.name}{f' without {without}' if without else ''}")
                recording = await asyncio.to_thread(load, label.file, label.end_of_speech_s)
                turns.append(LabelledTurn(label, await player.play(recording), without))
                await _undo(appliance)
    return turns


async def _undo(appliance: app.Appliance) -> None:
    """What one turn did shall not be heard in the next: no timer rings into it, no command leaves the ear closed."""
    for timer in appliance.mind.timers.all():
        appliance.mind.timers.cancel(timer.id)
    if appliance.ear.muted:
        await appliance.mind.set_mute(False)


def _home_of(folder: Path) -> Path | None:
    file = folder / "home.json"
    return file if file.is_file() else None


def _notes(turns: list[LabelledTurn], measures: dict[str, float | None]) -> tuple[str, ...]:
    marked = sum(turn.label.end_of_speech_s is not None for turn in turns)
    notes = [
        f"p50, p95 and p99 are over all {len(turns)} turns of the run; {marked} have a marked end of speech, the others "
        "the energy rule's (last 10 ms frame within 34 dB of the loudest)."
    ]
    silent = [name for name in MEASURES_MS if measures[f"latency.{name}_ms.p50"] is None]
    if silent:
        notes.append(f"Null, because the stage ran in no turn: {', '.join(silent)}.")
    return tuple(notes)
