"""The real program with recordings as the microphone: one turn for each recording."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from appliance import app, catalogue
from appliance.api.control import turn_table
from appliance.cli.run import log_to_stderr
from appliance.errors import ApplianceError, UsageError
from appliance.replay.feed import feed_settings
from appliance.replay.player import Played, Player
from appliance.replay.recording import Recording, load
from appliance.settings import Settings
from appliance.settings import load as load_settings

EXAMPLE = "appliance replay --turn button --speed max --json set-a-timer.wav"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recordings", nargs="+", type=Path, metavar="WAV", help="recordings, WAV or FLAC")
    parser.add_argument("--turn", choices=("wake", "button"), default="wake", help="what opens each turn")
    parser.add_argument("--home", type=Path, metavar="FILE", help="rooms and device names, JSON")
    parser.add_argument("--sentences", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
                        help="sentences of your own, hassil YAML")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the replies here as WAVs")
    parser.add_argument("--speed", default="1", metavar="X|max", help="pace of the recordings; 1 is real time")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each recording")


def run(args: argparse.Namespace) -> int:
    settings, _ = load_settings(args.config, args.assignments)
    log_to_stderr(_quieter(settings.device.log_level))
    board = app.array_map(settings.sound.board)
    microphones = 1 if board is None else len(board.microphones)
    recordings = [load(file, microphones=microphones) for file in args.recordings]
    asyncio.run(_replay(args, settings, recordings))
    return 0


def _quieter(level: str) -> str:
    """Here the turns are the output: of the log only what is wrong, unless more was asked for."""
    return "WARNING" if level == "INFO" else level


def speed_of(text: str) -> float:
    """'max' → 0. Raises UsageError unless it is a number above 0 up to 100."""
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed <= 100.0:
        raise UsageError("bad-speed", f"--speed takes 'max' or a number above 0 up to 100, not '{text}'.")
    return speed


async def _replay(args: argparse.Namespace, settings: Settings, recordings: list[Recording]) -> None:
    speed = speed_of(args.speed)
    console = Console()
    played: list[Played] = []
    with tempfile.TemporaryDirectory(prefix="appliance-replay-") as folder:
        settings = feed_settings(settings, Path(folder), speed, args.home, args.sentences)
        async with app.running(settings, catalogue.resolve(settings)) as appliance:
            if not await appliance.wait_ready():
                logging.getLogger(__name__).warning("Not every engine is ready.")
            player = Player(appliance, args.turn, speed == 1.0, args.out)
            for recording in recordings:
                turn = await player.play(recording)
                played.append(turn)
                if args.json:
                    print(json.dumps(line(turn), ensure_ascii=False), flush=True)
                else:
                    console.print(_sentence(turn))
    if not args.json:
        console.print(_table(played))
    if not played:
        raise ApplianceError("nothing", "No recording was played.")


def line(played: Played) -> dict[str, object]:
    """The object that CLI `replay --json` prints for a recording."""
    return {"type": "turn", "file": str(played.recording.file), **turn_table(played.record)}


def _sentence(played: Played) -> str:
    record = played.record
    heard = f"“{record.transcript}”" if record.transcript else "nothing"
    return f"[bold]{played.recording.file.name}[/bold]: {heard} → {record.reply or record.outcome.value}"


def _table(played: list[Played]) -> Table:
    table = Table("recording", "outcome", "intent", "confidence", "endpoint ms", "response ms")
    for turn in played:
        record = turn.record
        cells = [record.ms.get("endpoint"), record.ms.get("response")]
        table.add_row(
            turn.recording.file.name,
            record.outcome.value,
            record.intent or "–",
            "–" if record.confidence is None else f"{record.confidence:.2f}",
            *("–" if cell is None else f"{cell:.0f}" for cell in cells),
        )
    return table
