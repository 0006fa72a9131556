"""Transcribe the microphone or a recording, live, partial readings shown. A running device listens itself."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from appliance import app, catalogue
from appliance.api.control import NotRunning, ask, turn_table
from appliance.cli.run import log_to_stderr
from appliance.conversation.context import Trigger
from appliance.events import PartialHeard, TurnEnded
from appliance.replay.feed import feed_settings
from appliance.replay.player import Player
from appliance.replay.recording import load as load_recording
from appliance.settings import Settings, load

EXAMPLE = "appliance listen set-a-timer.wav"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recording", nargs="?", type=Path, metavar="WAV", help="a recording instead of the microphone")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    log_to_stderr("WARNING")
    console = Console()
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def show(data: dict[str, Any]) -> None:
            if args.json:
                print(json.dumps({"type": "partial", **data}, ensure_ascii=False), flush=True)
            else:
                live.update(Text(str(data["text"])), refresh=True)

        turn = asyncio.run(_listen(args.recording, settings, show))
    if args.json:
        print(json.dumps({"type": "final", **turn}, ensure_ascii=False))
    else:
        console.print(turn["transcript"] or f"({turn['outcome']})", highlight=False)
    return 0 if turn["transcript"] else 1


async def _listen(recording: Path | None, settings: Settings, show: Any) -> dict[str, Any]:
    if recording is None:
        try:
            return await ask(settings.device.runtime_dir, "listen", on_progress=show)
        except NotRunning:
            pass
    heard = None if recording is None else load_recording(recording)
    with tempfile.TemporaryDirectory(prefix="appliance-listen-") as folder:
        if heard is None:
            settings = app.private_folders(settings, Path(folder))
        else:
            settings = feed_settings(settings, Path(folder), 1.0)
        async with app.running(settings, catalogue.resolve(settings)) as appliance:
            await appliance.wait_ready()
            watch = appliance.bus.subscribe("listen")
            if heard is None:
                appliance.conversation.open(Trigger("command"))
            else:
                playing = asyncio.create_task(Player(appliance, "button", True).play(heard))
            async for event in watch:
                if isinstance(event, PartialHeard):
                    show({"text": event.text, "audio_ms": event.audio_ms})
                elif isinstance(event, TurnEnded):
                    if heard is not None:
                        await playing
                    return turn_table(event.record)
    raise AssertionError("a watch never ends")
