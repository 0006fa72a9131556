"""In: nothing but Debian's mosquitto. Out: a home server's broker on loopback, and what a device told it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from appliance.errors import DeviceError

START_S = 5.0


class VirtualBroker:
    """`with VirtualBroker() as broker:` starts and ends it. Loopback only, without accounts: for demonstrations."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._log = Path()
        self.port = 0

    def __enter__(self) -> Self:
        """Raises DeviceError where mosquitto is missing or does not start."""
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        programs = [shutil.which(name, path=path) for name in ("mosquitto", "mosquitto_sub")]
        if None in programs:
            raise DeviceError("no-broker", "The demo's broker wants Debian's mosquitto and mosquitto-clients.")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-broker-")))
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._log = folder / "messages"
        try:
            self._start([str(programs[0]), "-c", str(config)], folder / "log")
            self._wait()
            self._start([str(programs[1]), "-p", str(self.port), "-v", "-t", "#"], self._log)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def assignments(self) -> tuple[str, ...]:
        """Settings, as for --set, that connect a device to it."""
        return (
            "telemetry.mqtt.host=127.0.0.1",
            f"telemetry.mqtt.port={self.port}",
            "telemetry.mqtt.tls=false",
            "telemetry.metrics_interval_s=1",
        )

    def topics(self) -> Counter[str]:
        """How many messages came on each topic."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return Counter(line.partition(" ")[0] for line in lines if line)

    def bodies(self, end: str) -> list[dict[str, Any]]:
        """Every JSON message on topics that end so, in order."""
        found = []
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            topic, _, payload = line.partition(" ")
            if topic.endswith(end):
                with contextlib.suppress(ValueError):  # the last line may be half written
                    found.append(json.loads(payload))
        return found

    def _start(self, command: list[str], output: Path) -> None:
        with output.open("wb") as file:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        self._stack.callback(process.wait, 5.0)
        self._stack.callback(process.terminate)

    def _wait(self) -> None:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.02)
        raise DeviceError("no-broker", f"The demo's broker did not start in {START_S:g} s.")
