"""In: a real Mosquitto, hub and simulated devices as programs. Out: the page names them, commands arrive, history stays."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'hub' is not installed")

from tests.broker import Broker, free_port, needs_mosquitto

pytestmark = needs_mosquitto
PATIENCE_S = 60.0


class Running:
    """A hub with hands."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder, self.mqtt = folder, f"mqtt://127.0.0.1:{broker.port}"
        self.port = free_port()
        self.page = f"http://127.0.0.1:{self.port}"
        self.process = self.start()

    def program(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "appliance", "hub", *arguments]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, cwd=self.folder, env={**os.environ, "HOME": str(self.folder)}
        )

    def start(self) -> subprocess.Popen[bytes]:
        data = str(self.folder / "hub")
        process = self.program("--listen", f"127.0.0.1:{self.port}", "--mqtt", self.mqtt, "--data", data)
        self.until(lambda: self.ask("/health")["broker"]["connected"])
        return process

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.page + path, timeout=10) as answer:
            text = answer.read().decode()
        return json.loads(text) if path.startswith(("/api", "/health")) else text

    def until(self, condition: Callable[[], object]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError):
                if condition():
                    return
            assert time.monotonic() < end_s, "it did not happen in time"
            time.sleep(0.2)

    def post(self, body: bytes, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(f"{self.page}/api/commands", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture
def hub(tmp_path: Path, plain: Broker) -> Iterator[Running]:
    running = Running(tmp_path, plain)
    simulated = running.program("simulate", "--devices", "10", "--rate", "1", "--mqtt", running.mqtt)
    try:
        yield running
    finally:
        for process in (simulated, running.process):
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def test_devices_are_shown_commanded_and_kept(hub: Running) -> None:
    hub.until(lambda: hub.ask("/api/devices")["summary"]["conditions"]["well"] == 10)
    assert len(set(re.findall(r'data-device="([^"]+)"', hub.ask("/")))) == 10
    assert len(set(re.findall(r'device="([^"]+)"', hub.ask("/metrics")))) == 10

    token = hub.ask("/api/me")["csrf"]
    asked = json.dumps({"devices": ["sim-00001", "sim-00002"], "command": "volume", "args": {"percent": 35}}).encode()
    headers = {"Content-Type": "application/json", "X-CSRF-Token": token}
    results = hub.post(asked, headers)["results"]
    assert [(one["device"], one["ok"], one["answer"]) for one in results] == [
        ("sim-00001", True, {"percent": 35}), ("sim-00002", True, {"percent": 35}),
    ]  # fmt: skip
    with pytest.raises(urllib.error.HTTPError, match="403"):
        hub.post(asked, {"Content-Type": "application/json"})
    hub.until(lambda: len(hub.ask("/api/audit")) == 2)
    hub.until(lambda: hub.ask("/api/devices/sim-00001")["device"]["volume_percent"] == 35)

    series = "/api/devices/sim-00003/series?names=memory,cpu"
    hub.until(lambda: len(hub.ask(series)["t"]) >= 3)
    kept = len(hub.ask(series)["t"])
    hub.process.kill()
    hub.process.wait(10)
    hub.process = hub.start()
    assert len(hub.ask(series)["t"]) >= kept - 2  # at most the last second
    assert [row["command"] for row in hub.ask("/api/audit")] == ["volume", "volume"]
    hub.until(lambda: hub.ask("/api/devices")["summary"]["conditions"]["well"] == 10)
