"""Speak a text: on the running device, or on this machine's loudspeaker where none runs."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from appliance import app, catalogue
from appliance.api.control import NotRunning, ask
from appliance.cli.run import log_to_stderr
from appliance.errors import TtsError
from appliance.settings import Settings, load

EXAMPLE = 'appliance say "Dinner is ready."'


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", help="what to say")
    parser.add_argument("--chime", action="store_true", help="with a chime before it")


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    log_to_stderr("WARNING")
    asyncio.run(say(args.text, settings, args.chime))
    return 0


async def say(text: str, settings: Settings, chime: bool = False) -> None:
    """Speaks on the running device, or starts what is needed for it. Raises ApplianceError where nothing can be heard."""
    try:
        await ask(settings.device.runtime_dir, "say", {"text": text, "chime": chime})
    except NotRunning:
        with tempfile.TemporaryDirectory(prefix="appliance-say-") as folder:
            settings = app.private_folders(settings, Path(folder))
            async with app.running(settings, catalogue.resolve(settings)) as appliance:
                if not await appliance.tts.wait_ready(settings.supervisor.start_s):
                    raise TtsError("not-ready", f"No voice: {appliance.tts.last_failure}") from None
                await appliance.sound.wait_ready(settings.supervisor.start_s)
                await appliance.conversation.announce(text, chime)
