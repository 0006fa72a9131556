"""In: a request. Out: the real program in a process of its own, in a quiet room, its start timed from outside."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from appliance.app import private_folders
from appliance.bench.request import Request
from appliance.errors import ApplianceError
from appliance.sim.log import last_line

START_LIMIT_S = 60.0
STOP_S = 10.0
LOOK_S = 0.005
"""How often the run-time directory is looked at; the resolution of the children's times."""
CHILDREN = ("sound", "stt", "tts")
CALM_RATIO, CALM_S, CALM_LIMIT_S = 0.05, 1.0, 60.0
"""A process is calm when it took less than 5 % of a core for a second; waited for a minute at the most."""


_LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when its parent dies."""


def _end_with_us() -> None:
    """In the new process: a benchmark that is killed must not leave a device running behind."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Program:
    """A program that said READY=1."""

    process: psutil.Process
    ready_s: float
    """exec → READY=1, seconds."""
    status: str
    """What it said of itself: 'ready', or 'degraded: no …'."""
    child_s: dict[str, float] = field(default_factory=dict)
    """Child → seconds from exec to its socket, which appears when its engine is loaded."""

    def processes(self) -> dict[str, psutil.Process]:
        """The supervisor and its engines that run now, by name."""
        found = {"supervisor": self.process}
        for child in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                found[_name(child)] = child
        return found


@contextmanager
def program(request: Request) -> Iterator[Program]:
    """`python -m appliance run` with the feed as its microphone, in private folders; ended with the block.

    Raises ApplianceError where it ends or says nothing within START_LIMIT_S; the message holds its last line.
    """
    with tempfile.TemporaryDirectory(prefix="appliance-bench-") as name:
        folder = Path(name)
        with _notify_socket(folder) as ready, (folder / "log").open("wb") as log:
            started_s = time.monotonic()
            running = subprocess.Popen(
                [sys.executable, "-m", "appliance", *request.run_arguments, "run", *_private(request, folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(folder), preexec_fn=_end_with_us,
            )  # fmt: skip
            try:
                yield _until_ready(running, ready, started_s, folder)
            finally:
                _stop(running)


def wait_calm(processes: list[psutil.Process]) -> float:
    """Blocks until all processes are calm, so that what a start leaves to do is not taken for idling. Seconds waited."""
    started_s = time.monotonic()
    while (waited_s := time.monotonic() - started_s) < CALM_LIMIT_S:
        before_s = sum(map(cpu_s, processes))
        time.sleep(CALM_S)
        if sum(map(cpu_s, processes)) - before_s < CALM_RATIO * CALM_S:
            break
    return waited_s


def cpu_s(process: psutil.Process) -> float:
    """Seconds of a core that the process took so far, user and system; 0 for one that is gone."""
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _private(request: Request, folder: Path) -> list[str]:
    own = private_folders(request.settings, folder)
    values = {
        "sound.source": "feed",
        "sound.feed_speed": "1.0",
        "device.runtime_dir": str(own.device.runtime_dir),
        "device.state_dir": str(own.device.state_dir),
        "models.dir": str(own.models.dir),
    }
    return [part for name, value in values.items() for part in ("--set", f"{name}={value}")]


def _environment(folder: Path) -> dict[str, str]:
    """As ours; our service manager's watchdog, where there is one, is not the program's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHDOG_")}
    return kept | {"NOTIFY_SOCKET": str(folder / "notify")}


@contextmanager
def _notify_socket(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(folder / "notify"))
        yield receiver


def _until_ready(running: subprocess.Popen[bytes], ready: socket.socket, started_s: float, folder: Path) -> Program:
    child_s: dict[str, float] = {}
    while (now_s := time.monotonic() - started_s) < START_LIMIT_S:
        for name in CHILDREN:
            if name not in child_s and (folder / "run" / f"{name}.sock").exists():
                child_s[name] = now_s
        if running.poll() is not None:
            raise ApplianceError(
                "no-start", f"The program ended with {running.returncode}: {last_line(folder / 'log')}"
            )
        if not select.select([ready], [], [], LOOK_S)[0]:
            continue
        fields = dict(line.split("=", 1) for line in ready.recv(4096).decode().splitlines() if "=" in line)
        if fields.get("READY") == "1":
            ready_s = time.monotonic() - started_s
            return Program(psutil.Process(running.pid), ready_s, fields.get("STATUS", "ready"), child_s)
    raise ApplianceError("no-start", f"The program was not ready in {START_LIMIT_S:g} s: {last_line(folder / 'log')}")


def _stop(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    try:
        running.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for child in psutil.Process(running.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
        running.kill()
        running.wait()


def _name(process: psutil.Process) -> str:
    """sound, stt or tts; anything else by its program's name."""
    modules = [part.rpartition(".")[2] for part in process.cmdline() if part.startswith("appliance.engines.")]
    return modules[0] if modules else str(process.name())
