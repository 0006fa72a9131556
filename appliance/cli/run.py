"""The device: supervisor in the foreground, until SIGTERM or Ctrl-C. systemd starts this."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from appliance import app, catalogue
from appliance.settings import Settings, load

EXAMPLE = "appliance run --config /etc/appliance/appliance.toml"


def add(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    log_to_stderr(settings.device.log_level)
    asyncio.run(_run(settings))
    return 0


def log_to_stderr(level: str) -> None:
    """The supervisor's log: one line an entry on standard error, time left to journald."""
    logging.basicConfig(level=level, format="%(name)s: %(levelname)s %(message)s", stream=sys.stderr, force=True)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with app.running(settings, catalogue.resolve(settings)):
        await stop.wait()
