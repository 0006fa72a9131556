"""In: `appliance doctor` where things are right, wrong, running and hung. Out: a verdict and a remedy for each."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.api.control import SOCKET
from appliance.cli import checks, doctor
from appliance.wire.control import Answer, Request
from appliance.wire.frame import Connection, serve
from tests.shared import MODELS, needs_shared
from tests.unit.command import call

Row = dict[str, Any]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs doctor on ALSA's null card; answers (exit code, {check: row})."""
    monkeypatch.delenv("APPLIANCE_MODELS__MIRROR", raising=False)
    monkeypatch.setattr(checks, "MODULES", ("json",))  # the real ones take seconds; test_packages has its own

    def ask(*assignments: str) -> tuple[int, dict[str, Row]]:
        own = ("sound.capture=null", "sound.playback=null", f"device.state_dir={tmp_path}/state")
        where = f"device.runtime_dir={tmp_path}/run"
        code = call(doctor, "--json", assignments=(*own, where, *assignments))
        return code, {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    return ask


@contextmanager
def device(folder: Path, answer: dict[str, Any] | None) -> Iterator[None]:
    """A control socket that answers `status`, or never does."""
    folder.mkdir(mode=0o700)
    ready = threading.Event()
    over = asyncio.Event()

    async def handle(connection: Connection) -> None:
        assert Request.from_event(await connection.receive(5.0)).command == "status"
        if answer is None:
            await over.wait()
        else:
            await connection.send(Answer(True, answer).event())

    async def serving() -> None:
        server = await serve(folder / SOCKET, "control", handle)
        loop.append(asyncio.get_running_loop())
        ready.set()
        await over.wait()
        server.close()

    loop: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=asyncio.run, args=(serving(),), daemon=True)
    thread.start()
    assert ready.wait(5)
    yield
    loop[0].call_soon_threadsafe(over.set)
    thread.join(5)


def test_a_healthy_machine(ask: Callable[..., Any]) -> None:
    code, rows = ask()
    assert code == 0, [row for row in rows.values() if row["verdict"] == "wrong"]
    assert rows["capture"]["verdict"] == rows["playback"]["verdict"] == "ok"
    assert rows["model stt"]["verdict"] == "warning" and rows["model stt"]["remedy"] == "appliance models fetch"
    assert all(row["remedy"] for row in rows.values() if row["verdict"] != "ok")


@pytest.mark.parametrize(
    ("assignment", "name", "found"),
    [
        ("sound.capture=absent", "capture", "absent: "),
        ("models.profile=tiny", "models", "zipformer-en-3.3M is not in"),
        ("device.state_dir=/proc/nothing", "state folder", "/proc/nothing"),
        ("stt.beam=1", "settings", "stt.beam"),
    ],
)
def test_what_is_wrong_is_named(ask: Callable[..., Any], assignment: str, name: str, found: str) -> None:
    code, rows = ask(assignment)
    assert code == 1 and rows[name]["verdict"] == "wrong"
    assert found in rows[name]["found"] and rows[name]["remedy"]


@needs_shared
def test_a_recogniser_that_stands_in_is_named(ask: Callable[..., Any]) -> None:
    _, rows = ask("device.language=de", f"models.mirror={MODELS}")
    stt = rows["model stt"]
    assert stt["verdict"] == "warning" and stt["remedy"] == "appliance models fetch"
    assert "stands in for a recogniser of 'de': it listens for core commands only" in stt["found"]
    assert ask(f"models.mirror={MODELS}")[1]["model stt"]["verdict"] == "ok"


def test_a_broker_that_answers_and_one_that_does_not(ask: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        where = ("telemetry.mqtt.host=127.0.0.1", f"telemetry.mqtt.port={port}")
        found = ask(*where)[1]["broker"]
        assert found["verdict"] == "wrong" and "does not answer" in found["found"], "a port that is open is no broker"
    code, rows = ask(*where)
    assert code == 1 and rows["broker"]["found"] == f"127.0.0.1:{port}: Nothing listens at the broker's address."


def test_a_runtime_folder_open_to_others(ask: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    assert ask()[1]["runtime folder"]["remedy"] == f"chmod 0700 {tmp_path}/run"


def test_a_running_device_is_asked(ask: Callable[..., Any], tmp_path: Path) -> None:
    engine = {"ready": False, "last_failure": "it died"}
    status = {"uptime_s": 5.0, "hearing": "deaf", "deaf_reason": "no frames", "engines": {"stt": engine}}
    with device(tmp_path / "run", status):
        code, rows = ask()
    assert code == 1 and "capture" not in rows  # the device has the card
    assert rows["hearing"]["found"] == "deaf: no frames" and rows["engine stt"]["found"] == "it died"


def test_a_hung_device_is_wrong(ask: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "STATUS_TIMEOUT_S", 0.2)
    with device(tmp_path / "run", None):
        code, rows = ask()
    assert code == 1 and rows["device"]["remedy"] == "systemctl restart appliance"


def test_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MODULES", ("alsaaudio", "no_such_module"))
    (check,) = checks.check_packages()
    assert check.verdict == "wrong" and check.found == "no_such_module: No module named 'no_such_module'"


def test_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gpiochip0").write_text("")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may everything
    rows = {check.name: check for check in checks.check_permissions(tmp_path)}
    assert rows["group gpio"].verdict == "wrong" and "usermod -aG gpio" in rows["group gpio"].remedy
    assert rows["group spi"].verdict == "ok"


def test_the_shipped_list_of_packages_imports() -> None:
    (check,) = checks.check_packages()
    assert check.verdict == "ok", check.found
