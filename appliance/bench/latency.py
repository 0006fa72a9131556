"""In: labelled recordings. Out: real-time turns of the real program: every stage's times, cut-offs, what was right.

A home server on loopback does at once whatever is handed to it, so that every understood command gets its answer.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from appliance import app
from appliance.bench.folders import LabelledSet, labelled_sets
from appliance.bench.labels import Label
from appliance.bench.outside import Outside, outside
from appliance.bench.parts import PARTS, chosen
from appliance.bench.percentile import percentile, summary
from appliance.bench.program import wait_calm
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import EngineError
from appliance.events import MEASURES_MS, Outcome, ReplyStarted
from appliance.replay.feed import feed_settings
from appliance.replay.player import Played, Player
from appliance.replay.recording import load
from appliance.sim.home_server import LoopbackHome

SERVED_S = 10.0
HEARD_S = 0.6
"""Of a reply: time enough for a second sentence that is late to be missed."""
COMPARED = ("response_ms.p50", "response_ms.p95", "endpoint_ms.p50", "right_rate", "cut_off_rate")
"""Measures that are given for each set and without each part, too."""


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A recording, what it holds, and the turn it made."""

    label: Label
    played: Played
    without: str | None = None
    set_name: str = ""

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
            "set": self.set_name,
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
            "wasted": record.wasted,
            "cached": record.cached,
            "speech_end_ms": None if listen is None or endpoint_ms is None else listen.end_ms - endpoint_ms,
            "marks": [[mark.stage, mark.start_ms, mark.end_ms] for mark in record.marks],
            "partials": [[round(at_ms, 1), text] for at_ms, text in record.partials],
        }


def run(request: Request) -> SuiteResult:
    """Plays every recording once in real time, and once more without each part of `request.without`.

    `request.data` may hold folders with labels.json: each is played in a run of its own, with its own rooms and sentences.
    Raises UsageError for unusable data, EngineError where the sound engine cannot be fed, DeviceError without mosquitto.
    """
    sets = labelled_sets(request.folder("latency"), request.limit)
    turns: list[LabelledTurn] = []
    with LoopbackHome() as home:
        for without in (None, *chosen(request.without)):
            for each in sets:
                turns += asyncio.run(_turns(request, each, home, without))
    heard = outside(request, [label for each in sets for label in each.labels]) if request.outside else []
    return judged(turns, heard)


def judged(turns: list[LabelledTurn], heard: Sequence[Outside] = ()) -> SuiteResult:
    """The measures of turns that were played, and of those that were also heard from outside."""
    whole = [turn for turn in turns if turn.without is None]
    measures = _measures(whole)
    for name in dict.fromkeys(turn.set_name for turn in whole):
        if name and len({turn.set_name for turn in whole}) > 1:
            of_set = _measures([turn for turn in whole if turn.set_name == name])
            measures |= {f"latency.{key}@{name}": of_set[f"latency.{key}"] for key in COMPARED}
    for part in dict.fromkeys(turn.without for turn in turns if turn.without is not None):
        of_part = _measures([turn for turn in turns if turn.without == part])
        measures |= {f"latency.without_{part}.{key}": of_part[f"latency.{key}"] for key in COMPARED}
    if heard:
        measures |= summary("latency.outside_response_ms", (each.response_ms for each in heard))
        late = [each.later_ms for each in heard if each.later_ms is not None]
        measures["latency.outside_later_ms.p50"] = percentile(late, 50)
        measures["latency.outside_later_ms.max"] = max(late, key=abs, default=None)
    rows = [turn.row() for turn in turns] + [each.row() for each in heard]
    return SuiteResult("latency", len(whole), measures, rows, _notes(whole, measures, len(heard)))


def _measures(turns: list[LabelledTurn]) -> dict[str, float | None]:
    records = [turn.played.record for turn in turns]
    measures: dict[str, float | None] = {}
    for name in MEASURES_MS:
        measures |= summary(f"latency.{name}_ms", (record.ms.get(name) for record in records))
    measures["latency.cut_off_rate"] = share([turn.cut_off for turn in turns])
    measures["latency.right_rate"] = share([turn.right for turn in turns])
    measures["latency.error_rate"] = share([record.outcome is Outcome.FAILED for record in records])
    understood = [record for record in records if record.intent is not None]
    measures["latency.prepared_hit_rate"] = share([record.prepared == "hit" for record in understood])
    begun = sum(record.wasted + (record.prepared == "hit") for record in records)
    measures["latency.prepared_waste_rate"] = round(sum(r.wasted for r in records) / begun, 4) if begun else None
    measures["latency.cached_rate"] = share([record.cached for record in records])
    return measures


def share(answers: list[bool | None]) -> float | None:
    """Share of yes among those that are known; None where none is."""
    known = [answer for answer in answers if answer is not None]
    return round(sum(known) / len(known), 4) if known else None


async def _turns(
    request: Request, labelled: LabelledSet, house: LoopbackHome, without: str | None
) -> list[LabelledTurn]:
    settings = request.settings if without is None else PARTS[without](request.settings)
    sentences = (*request.sentences, *labelled.sentences)
    turns: list[LabelledTurn] = []
    with tempfile.TemporaryDirectory(prefix="appliance-latency-") as folder:
        settings = feed_settings(settings, Path(folder), 1.0, request.home or labelled.home, sentences)
        async with app.running(house.settings(settings), request.models) as appliance:
            await appliance.wait_ready()
            await _served(appliance)
            request.progress(0, len(labelled.labels), "waiting until the start is over")
            await asyncio.to_thread(wait_calm, [psutil.Process(c.pid) for c in appliance.children if c.pid is not None])
            player = Player(appliance, request.turn, real_time=True)
            impatient = asyncio.create_task(_heard_enough(appliance), name="heard enough")
            for number, label in enumerate(labelled.labels):
                what = f"{label.file.name}{f' without {without}' if without else ''}"
                request.progress(number, len(labelled.labels), what)
                recording = await asyncio.to_thread(load, label.file, label.end_of_speech_s)
                turns.append(LabelledTurn(label, await player.play(recording), without, labelled.name))
                await _undo(appliance)
            impatient.cancel()
    return turns


async def _heard_enough(appliance: app.Appliance) -> None:
    """Silences each reply once it has begun, as somebody would who knows it: the times are had by then."""
    async for event in appliance.bus.subscribe("heard enough", 20000):
        if isinstance(event, ReplyStarted):
            await asyncio.sleep(HEARD_S)
            appliance.conversation.hush()


async def _served(appliance: app.Appliance) -> None:
    """Waits until the device knows the home server. Raises EngineError where it does not in time."""
    deadline_s = time.monotonic() + SERVED_S
    while appliance.agent.context.home is None:
        if time.monotonic() > deadline_s:
            raise EngineError("no-home", "The device did not find the home server on loopback.", "action")
        await asyncio.sleep(0.05)


async def _undo(appliance: app.Appliance) -> None:
    """What one turn did shall not be heard in the next: no timer rings into it, no command leaves the ear closed."""
    for timer in appliance.agent.timers.all():
        appliance.agent.timers.cancel(timer.id)
    if appliance.ear.muted:
        await appliance.agent.set_mute(False)


def _notes(turns: list[LabelledTurn], measures: dict[str, float | None], heard: int) -> tuple[str, ...]:
    marked = sum(turn.label.end_of_speech_s is not None for turn in turns)
    notes = [
        f"p50, p95 and p99 are over all {len(turns)} turns of the run; {marked} have a marked end of speech, the others "
        "the energy rule's (last 10 ms frame within 34 dB of the loudest)."
    ]
    notes.append(f"Replies are silenced {HEARD_S:g} s after they began; a home server on loopback answers at once.")
    notes.append("prepared_hit_rate: of understood turns; prepared_waste_rate: of all replies that were prepared.")
    if heard:
        notes.append(
            f"outside: {heard} turns on the virtual card, from the end of speech in the room to the first audible sample at "
            "the loudspeaker; later: by how much that sample came after the time that the program gives for it."
        )
    silent = [name for name in MEASURES_MS if measures[f"latency.{name}_ms.p50"] is None]
    if silent:
        notes.append(f"Null, because the stage ran in no turn: {', '.join(silent)}.")
    return tuple(notes)
