"""Serve the recogniser, the voice and the wake words to others, as Wyoming services (Home Assistant, satellites)."""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from pathlib import Path

from appliance import app, catalogue
from appliance.api.services import Services, reception
from appliance.cli.run import log_to_stderr
from appliance.conversation.agent import Agent
from appliance.conversation.clients.sound import SoundClient
from appliance.conversation.clients.stt import compile_ahead
from appliance.errors import ApplianceError, EngineError, SttError, UsageError
from appliance.events import Bus
from appliance.settings import Settings, load
from appliance.supervisor.child import Child
from appliance.wire.child import ChildConfig

EXAMPLE = "appliance serve stt tts --listen 127.0.0.1:10300"
STAGES = ("stt", "tts", "wake")
DEFAULT = "127.0.0.1:10300"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stages", nargs="+", choices=STAGES, metavar="STAGE", help=f"what to serve: {', '.join(STAGES)}"
    )
    parser.add_argument("--listen", default=DEFAULT, metavar="HOST:PORT",
                        help=f"address, {DEFAULT} without it; nothing is encrypted or asked for a password, so another "
                        "host than this one belongs into a trusted network")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    host, port = address(args.listen)
    settings, _ = load(args.config, args.assignments)
    log_to_stderr("WARNING" if settings.device.log_level == "INFO" else settings.device.log_level)
    asyncio.run(_serve(settings, tuple(dict.fromkeys(args.stages)), host, port))
    return 0


def address(text: str) -> tuple[str, int]:
    """'HOST:PORT' ('[::1]:10300', too) → both. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError("bad-address", f"--listen takes HOST:PORT, not '{text}'.")
    return host.strip("[]"), int(port)


async def _serve(settings: Settings, stages: tuple[str, ...], host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    models = catalogue.resolve(settings)
    with tempfile.TemporaryDirectory(prefix="appliance-serve-") as name:
        settings = app.private_folders(settings, Path(name))
        folder = settings.device.runtime_dir
        folder.mkdir(mode=0o700, parents=True)
        settings.device.state_dir.mkdir(parents=True)
        config = folder / "child.json"
        ChildConfig(settings=settings, models=models).write(config)
        bus = Bus()
        children = {stage: Child(stage, settings.supervisor, bus, folder / f"{stage}.sock", config) for stage in stages}
        agent = Agent(settings, bus, SoundClient(settings.supervisor, bus, False), lambda timer: None, lambda: None)
        agent.write_grammar(folder)
        listening = agent.utterances_to_expect()[0]
        services = Services(settings, models, children, listening)
        lives = [asyncio.create_task(child.run(), name=stage) for stage, child in children.items()]
        try:
            await _ready(children, settings.supervisor.start_s)
            if "stt" in children:
                try:
                    await compile_ahead(children["stt"], listening)
                except (EngineError, SttError) as error:
                    raise ApplianceError("no-grammar", f"The recogniser cannot be prepared: {error}") from error
            await _listen(services, host, port, stop, lives)
        finally:
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)


async def _listen(
    services: Services, host: str, port: int, stop: asyncio.Event, lives: list[asyncio.Task[None]]
) -> None:
    """Until told to stop. Raises ApplianceError where the address is taken; what ended a child's supervision ends all."""
    try:
        server = await reception(services, host, port)
    except OSError as error:
        raise ApplianceError("no-address", f"{host}:{port} cannot be served on: {error.strerror}.") from error
    print(f"Serving on {host}:{port}; Ctrl-C ends it.", flush=True)
    waiting = asyncio.create_task(stop.wait(), name="stop")
    try:
        done, _ = await asyncio.wait((waiting, *lives), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        waiting.cancel()
        server.close()


async def _ready(children: dict[str, Child], start_s: float) -> None:
    for stage, child in children.items():
        if not await child.wait_ready(start_s):
            raise ApplianceError("not-ready", f"The {stage} engine did not become ready: {child.last_failure}")
