"""In: a child's command line (`--socket PATH --config FILE`). Out: its engine served on that socket until told to stop.

The socket appears only when the engine is loaded, so that a connection means ready.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from appliance.engines.memory import let_go_of_files, memory_mb
from appliance.errors import ApplianceError
from appliance.files import write_atomic
from appliance.wire.child import LOG_FD, ChildConfig, last_words
from appliance.wire.frame import Connection, serve

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when its parent dies."""

Engine = Callable[[Connection], Awaitable[None]]

_BARE_MB: dict[str, float] = {}


def memory() -> dict[str, float]:
    """For a child's counters: `bare_mb`, what the process held before its model was loaded (PSS, MB of 10⁶ bytes).

    What it holds more now is the model's and its work's. Empty where the system does not tell.
    """
    return dict(_BARE_MB)


def _weigh() -> None:
    if (held_mb := memory_mb()) is not None:
        _BARE_MB["bare_mb"] = round(held_mb, 1)


def main(stage: str, engine: Callable[[ChildConfig], AbstractAsyncContextManager[Engine]]) -> None:
    """Runs a child process: loads `engine`, serves it, ends on SIGTERM or with its parent. Exits 1 with one sentence."""
    arguments = argparse.ArgumentParser(prog=f"appliance-{stage}")
    arguments.add_argument("--socket", type=Path, required=True)
    arguments.add_argument("--config", type=Path, required=True)
    given = arguments.parse_args()
    _take_log()
    threading.excepthook = _thread_died
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a stopped child obeys nothing less
    if os.getppid() != parent:  # it died before prctl
        sys.exit(1)
    try:
        config = ChildConfig.read(given.config)
        logging.basicConfig(
            level=config.settings.device.log_level, format=f"{stage}: %(levelname)s %(message)s", stream=sys.stderr
        )
        asyncio.run(_serve(stage, engine, config, given.socket))
    except ApplianceError as error:
        logging.getLogger(__name__).error("%s", error)
        with contextlib.suppress(OSError):
            write_atomic(last_words(given.socket), error.message)
        sys.exit(1)


def _take_log() -> None:
    """Python speaks on the log's descriptor; standard error is left to the libraries, whose lines are debugging."""
    if (number := os.environ.pop(LOG_FD, "")).isdigit():
        sys.stderr = os.fdopen(int(number), "w", buffering=1, errors="backslashreplace")
    faulthandler.enable(sys.stderr)


def _thread_died(what: threading.ExceptHookArgs) -> None:
    """A child without one of its threads is half dead (deaf, or mute): it ends, and the supervisor replaces it."""
    name = what.thread.name if what.thread is not None else "?"
    logging.getLogger(__name__).error("The thread '%s' ended.", name, exc_info=what.exc_value)
    os._exit(1)


async def _serve(
    stage: str,
    engine: Callable[[ChildConfig], AbstractAsyncContextManager[Engine]],
    config: ChildConfig,
    socket: Path,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    let_go_of_files()
    _weigh()
    async with engine(config) as handler:
        let_go_of_files()
        server = await serve(socket, stage, handler)
        await stop.wait()
        server.close()
    socket.unlink(missing_ok=True)
    os._exit(0)  # a native library's thread must not hold up the end
