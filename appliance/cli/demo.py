"""A whole spoken turn where there is no hardware: virtual sound card, LED ring in the terminal, stage times at the end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from appliance import app, catalogue
from appliance.api.control import turn_table
from appliance.cli.run import log_to_stderr
from appliance.cli.table import table
from appliance.errors import ApplianceError
from appliance.events import (
    DeviceEvent,
    Hearing,
    HearingChanged,
    Outcome,
    PartialHeard,
    State,
    StateChanged,
    TurnEnded,
    TurnRecord,
    WakeDetected,
)
from appliance.panel.colour import Frame
from appliance.panel.drivers.virtual import render
from appliance.replay.recording import load as load_recording
from appliance.settings import load
from appliance.sim.broker import VirtualBroker
from appliance.sim.card import VirtualCard
from appliance.sim.recorder import RATE_HZ, Recorder

EXAMPLE = 'appliance demo --say "set a timer for five minutes"'

WAKE_WORD = "Alexa"
REQUEST = Path(__file__).parent / "data" / "request.flac"
"""Spoken by a neural voice: both the small models and the starter engine understand it."""
REQUEST_TEXT = "set a timer for five minutes"
ATTEMPTS = 3
"""How often the request is spoken before the demo gives up; a person would say it again too."""
TURN_S = 20.0
BARS = 40
"""Characters that the waterfall of a whole turn takes."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--say", metavar="TEXT", help=f"what is asked aloud, by espeak-ng; without it: “{REQUEST_TEXT}”"
    )
    parser.add_argument("--out", type=Path, default=Path("build/demo-reply.wav"), metavar="FILE", help="the reply")
    parser.add_argument("--json", action="store_true", help="the turn as JSON, nothing drawn")


def run(args: argparse.Namespace) -> int:
    log_to_stderr("ERROR")
    console = Console(quiet=args.json)
    record = asyncio.run(_demo(args, console))
    if args.json:
        print(json.dumps(turn_table(record), ensure_ascii=False))
    console.print(stage_times(record))
    console.print(f"The reply is kept in {args.out}.", highlight=False)
    return 0 if record.outcome is Outcome.ANSWERED else 1


async def _demo(args: argparse.Namespace, console: Console) -> TurnRecord:
    with (
        tempfile.TemporaryDirectory(prefix="appliance-demo-") as name,
        VirtualCard() as card,
        VirtualBroker() as broker,
    ):
        folder = Path(name)
        own = (*card.assignments, *broker.assignments, "device.log_level=ERROR", "panel.board=virtual")
        settings, _ = load(args.config, (*args.assignments, *own))
        settings = app.private_folders(settings, folder)
        os.environ.update(card.environment)  # alsa-lib of the sound child reads them; HOME is among them
        models = catalogue.resolve(settings)
        if models.stt is None or models.tts is None:
            console.print(
                "[yellow]No models are here, so the starter engines run (pocketsphinx, espeak-ng). "
                "`appliance models fetch` gets the real ones.[/yellow]"
            )
        request = spoken_request(f"{WAKE_WORD}, {args.say}", folder) if args.say else REQUEST
        async with app.running(settings, models) as appliance:
            picture = Picture(appliance)
            if not await appliance.wait_ready():
                missing = ", ".join(c.last_failure or c.name for c in appliance.children if not c.ready)
                raise ApplianceError("not-ready", f"Not every engine became ready: {missing}")
            await appliance.compile_grammars()
            await _hearing(appliance)
            console.print(
                f"Ready after {appliance.ready_s or 0:.1f} s. Someone says: “{WAKE_WORD}, {args.say or REQUEST_TEXT}”."
            )
            recorder = card.record_speaker()
            record = await _ask(appliance, card, request, console, picture)
            await asyncio.sleep(0.3)  # the last samples are still on their way through the virtual card
            _keep(recorder, args.out)
        console.print(_told(broker))
    return record


async def _hearing(appliance: app.Appliance) -> None:
    """Waits until sound arrives: an idle virtual card takes up to two seconds. Raises ApplianceError if none does."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10.0):
            if appliance.ear.hearing is not Hearing.HEARING:
                async for event in appliance.bus.subscribe("demo-hearing"):
                    if isinstance(event, HearingChanged) and event.hearing is Hearing.HEARING:
                        break
            await asyncio.sleep(1.0)  # its first second is silent
            return
    raise ApplianceError("deaf", f"The virtual card gives no sound: {appliance.ear.deaf_reason}")


async def _ask(
    appliance: app.Appliance, card: VirtualCard, request: Path, console: Console, picture: Picture
) -> TurnRecord:
    """Speaks the request until a turn came of it. Raises ApplianceError where none did."""
    record: TurnRecord | None = None
    for _ in range(ATTEMPTS):
        watch = appliance.bus.subscribe("demo")
        speaking = asyncio.create_task(asyncio.to_thread(card.speak_in_room, load_recording(request).samples))
        with (
            Live(console=console, get_renderable=picture.render, refresh_per_second=12),
            contextlib.suppress(TimeoutError),
        ):
            async with asyncio.timeout(TURN_S):
                async for event in watch:
                    picture.see(event)
                    if isinstance(event, TurnEnded):
                        record = event.record
                        break
            await speaking
        console.print()
        if record is not None and record.outcome is Outcome.ANSWERED:
            return record
        console.print("Not understood. Once more." if record else "The wake word was not heard. Once more.")
    if record is None:
        raise ApplianceError("no-wake", f"The wake word was not heard in {ATTEMPTS} attempts.")
    return record


def spoken_request(text: str, folder: Path) -> Path:
    """A WAV of `text`, made on the spot by espeak-ng. Raises ApplianceError where it cannot be had."""
    file = folder / "request.wav"
    try:
        subprocess.run(
            ["espeak-ng", "-v", "en-us", "-s", "150", "-w", str(file), text],
            check=True, timeout=20, stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise ApplianceError("no-espeak", "espeak-ng, which speaks the demo's request, cannot be run.") from error
    return file


def _keep(recorder: Recorder, file: Path) -> None:
    """Writes what the loudspeaker played, without the silence around it."""
    samples = recorder.stop()
    loud = np.nonzero(np.abs(samples.astype(np.int32)) > 300)[0]
    if len(loud):
        samples = samples[max(0, loud[0] - RATE_HZ // 10) : loud[-1] + RATE_HZ // 10]
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE_HZ)
        wav.writeframes(samples.tobytes())


class Picture:
    """The LED ring, the state and the words, drawn while the turn runs."""

    def __init__(self, appliance: app.Appliance) -> None:
        self._frame: Frame = ()
        self._panel = appliance.panel
        appliance.panel.on_frame = self._light
        appliance.panel.drawn_elsewhere = True
        self._states: set[State] = {State.IDLE}
        self._heard = ""
        self._wake: WakeDetected | None = None
        self._record: TurnRecord | None = None

    def see(self, event: DeviceEvent) -> None:
        if isinstance(event, StateChanged):
            (self._states.add if event.on else self._states.discard)(event.state)
        elif isinstance(event, PartialHeard):
            self._heard = event.text
        elif isinstance(event, WakeDetected):
            self._wake = event
        elif isinstance(event, TurnEnded):
            self._record = event.record

    def _light(self, frame: Frame, brightness: float) -> None:
        self._frame = frame

    def render(self) -> Group:
        shown = next(state for state in State if state in self._states or state is State.IDLE)
        lines = [Text(f"state  {shown.value}", style="bold")]
        if self._wake is not None:
            lines.append(Text(f"wake   {self._wake.wake_word} ({self._wake.score:.2f})"))
        if self._heard:
            lines.append(Text(f"heard  {self._heard}"))
        if self._record is not None and self._record.reply:
            lines.append(Text(f"reply  {self._record.reply}", style="green"))
        equipment = self._panel.equipment
        if self._frame and equipment is not None and equipment.shape is not None:
            lines.insert(0, render(self._frame, equipment.shape))
        return Group(*lines)


def _told(broker: VirtualBroker) -> str:
    """What the home server heard of all this."""
    topics = broker.topics()
    kinds = sorted({topic.split("/", 2)[-1] for topic in topics if topic.startswith("appliance/")})
    return f"The broker beside it got {sum(topics.values())} messages: {', '.join(kinds)}."


def stage_times(record: TurnRecord) -> Table:
    """The turn's stages as a table with a waterfall on the audio's own time line."""
    made = table("stage", "from ms", "ms", "waterfall", title="Where the time went")
    whole_ms = max((mark.end_ms for mark in record.marks), default=1.0)
    for mark in record.marks:
        start = int(mark.start_ms / whole_ms * BARS)
        length = max(1, int((mark.end_ms - mark.start_ms) / whole_ms * BARS))
        made.add_row(
            mark.stage, f"{mark.start_ms:.0f}", f"{mark.end_ms - mark.start_ms:.0f}", " " * start + "█" * length
        )
    response = record.ms.get("response")
    made.caption = "" if response is None else f"answered {response:.0f} ms after the last word"
    return made
