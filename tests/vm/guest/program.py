"""In: settings. Out: the device's program running as a user of its own, and its happenings as they come."""

from __future__ import annotations

import grp
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from appliance import catalogue
from appliance.settings import load
from appliance.wire.child import ChildConfig

USER_ID = 1000
FOLDER = Path("/run/appliance-vm")
SETTINGS = (
    "panel.board=none",
    "sound.capture=hw:Loopback,1,0",
    "sound.playback=hw:Loopback,0,1",
    f"device.runtime_dir={FOLDER}/run",
    f"device.state_dir={FOLDER}/state",
    # wake inference and echo cancelling in real time are more than one emulated core can do
    "wake.engine=none",
    "sound.echo_cancel=false",
    "sound.period_ms=80",
    # two engines more than one emulated core can start in time are started first, one after the other
    f"stt.uri=unix://{FOLDER}/stt.sock",
    f"tts.uri=unix://{FOLDER}/tts.sock",
    # emulated, everything takes twenty times as long; what is patience on a device would be a fault here
    "supervisor.start_s=120",
    "supervisor.hung_s=20",
    "tts.warm=false",
    "conversation.no_speech_s=20",
)


ENDED = "ended"


class Silent(Exception):
    """The program did not do what was waited for."""


def _as_user() -> list[str]:
    """Begins a command that runs as a user of its own, with the groups that the service has."""
    groups = ",".join(str(grp.getgrnam(name).gr_gid) for name in ("gpio", "audio"))
    return ["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", f"--groups={groups}", sys.executable, "-m"]


def start_engine(stage: str, timeout_s: float) -> float:
    """Starts an engine that the program finds ready; how long it took to load, in seconds. Raises Silent."""
    FOLDER.mkdir(exist_ok=True)
    os.chown(FOLDER, USER_ID, USER_ID)
    config, socket = FOLDER / "child.json", FOLDER / f"{stage}.sock"
    settings, _ = load(None, SETTINGS)
    ChildConfig(settings=settings, models=catalogue.resolve(settings)).write(config)
    os.chown(config, USER_ID, USER_ID)
    began_s = time.monotonic()
    command = [*_as_user(), f"appliance.engines.{stage}", "--socket", str(socket), "--config", str(config)]
    engine = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, env=os.environ | {"HOME": str(FOLDER)})
    while not socket.exists():
        if engine.poll() is not None or time.monotonic() - began_s > timeout_s:
            engine.kill()
            raise Silent(f"The engine {stage} was not there after {timeout_s:.0f} s.")
        time.sleep(0.2)
    return time.monotonic() - began_s


class Program:
    """The program of `appliance run`, in a context."""

    def __init__(self, *settings: str) -> None:
        self._command = [*_as_user(), "tests.vm.guest.device", *SETTINGS, *settings]
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __enter__(self) -> Program:
        # its own folder is not writable, as everywhere but under the service: nothing may depend on it
        self._process = subprocess.Popen(
            self._command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"HOME": str(FOLDER)},
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self, what: str, timeout_s: float, detail: str = "") -> float:
        """When the next happening `what` was (monotonic seconds); earlier ones of other kinds are let pass.

        Raises Silent if none comes within `timeout_s`.
        """
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                told = self._told.get(timeout=max(0.0, end_s - time.monotonic()))
            except queue.Empty:
                raise Silent(f"No {what} {detail} within {timeout_s:.0f} s.") from None
            if told["what"] == ENDED:
                raise Silent(f"The program ended before {what} {detail}.")
            if told["what"] == what and str(told["detail"]).startswith(detail):
                return float(told["at_s"])

    def forget(self) -> None:
        """Lets pass what happened until now."""
        while not self._told.empty():
            self._told.get_nowait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            self._told.put(json.loads(text))
        self._told.put({"what": ENDED})
