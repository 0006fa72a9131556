"""In: a real Mosquitto with TLS, passwords and the documented ACL. Out: telemetry keeps its promises there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.events import Bus, ButtonPressed, State, StateChanged, WakeDetected
from tests.broker import Authority, Broker, Listener, needs_mosquitto
from tests.shared import ROOT
from tests.telemetry import PlayedDevice, make, owner, running, turn, until, valid

pytestmark = needs_mosquitto


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_every_message_is_as_its_schema_says(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any], version: str
) -> None:
    home, bus = owner(secure, authority), Bus()
    telemetry = make(tmp_path, bus, PlayedDevice(), **login, version=version)
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        bus.publish(StateChanged(state=State.LISTENING))
        bus.publish(turn(1, ms={"stt": 12.5}, transcript="my secret", slots={"name": "secret"}))
        bus.publish(ButtonPressed(gesture="double"))
        bus.publish(WakeDetected(wake_word="alexa", score=0.97, level_dbfs=-30.0))
        telemetry.measures.deaf_since_s = -1000.0
        await until(lambda: home.on("kitchen/metrics") and home.on("alert/deaf_s") and home.on("event/wake"))
        await until(lambda: b"listening" in (home.last("kitchen/state") or b""))
        assert home.on("kitchen/availability") == [b"online"]
    await until(lambda: home.on("kitchen/availability")[-1:] == [b"offline"])
    home.close()
    said = valid("turn", home.on("kitchen/turn")[0])
    assert said["ms"]["stt"] == 12.5 and said["ms"]["response"] is None
    assert not any(b"secret" in payload for _, payload, _ in home.heard), "what was said stays on the device"
    assert valid("alert", home.on("alert/deaf_s")[0])["severity"] == "P0"
    for name in ("metrics", "state", "info", "claim"):
        for payload in home.on(f"kitchen/{name}"):
            valid(name, payload)
    events = [payload for topic, payload, _ in home.heard if "/event/" in topic]
    assert {valid("event", payload)["event_type"] for payload in events} >= {"double", "wake"}
    assert len(home.on("device/appliance_kitchen/config")) == 1


async def test_alert_is_retained_while_it_holds_and_then_taken_back(tmp_path: Path, plain: Broker) -> None:
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port)
    async with running(telemetry):
        telemetry.measures.deaf_since_s = -1000.0
        await until(lambda: telemetry.delivery.delivered["alert"] == 1)
        late = Listener(plain.port)
        await until(lambda: late.on("alert/deaf_s"))
        assert [kept for topic, _, kept in late.heard if topic.endswith("alert/deaf_s")] == [True]
        telemetry.measures.deaf_since_s = None
        await until(lambda: late.last("alert/deaf_s") == b"")
        late.close()
    newer = Listener(plain.port)
    await asyncio.sleep(0.2)
    newer.close()
    assert newer.on("alert/deaf_s") == []


async def test_a_thousand_turns_outlive_a_killed_broker(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any]
) -> None:
    home, bus = owner(secure, authority), Bus()
    telemetry = make(tmp_path, bus, PlayedDevice(), **login)
    # until its first save, some two seconds after the start, a killed broker forgets that `home` ever subscribed
    await until(lambda: (secure.folder / "mosquitto.db").exists())
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        for number in range(1, 1001):
            bus.publish(turn(number))
            if number % 10 == 0:
                await asyncio.sleep(0.005)
            if number in (300, 700):
                await asyncio.to_thread(secure.kill)
            if number in (450, 800):
                await asyncio.to_thread(secure.start)
                await until(lambda: telemetry.link.connected)
        await until(lambda: len({json.loads(p)["id"] for p in home.on("kitchen/turn")}) == 1000, 30.0)
    home.close()
    seen: dict[str, str] = {}
    for payload in home.on("kitchen/turn"):
        body = json.loads(payload)
        seen.setdefault(body["id"], body["turn"])
    assert list(seen.values()) == [f"t{number}" for number in range(1, 1001)]
    assert not telemetry.delivery.outbox.dropped
    assert telemetry.link.counters["connects"] == 3


async def test_what_was_not_delivered_survives_a_restart_of_the_device(tmp_path: Path, plain: Broker) -> None:
    plain.kill()
    bus = Bus()
    async with running(make(tmp_path, bus, PlayedDevice(), port=plain.port)):
        for number in range(1, 6):
            bus.publish(turn(number))
        bus.publish(ButtonPressed(gesture="triple"))
        await asyncio.sleep(0.1)
    plain.start()
    home, bus = Listener(plain.port), Bus()
    async with running(make(tmp_path, bus, PlayedDevice(), port=plain.port)):
        await until(lambda: len(home.on("kitchen/turn")) == 5 and home.on("event/button"))
        bus.publish(turn(6))
        await until(lambda: len(home.on("kitchen/turn")) == 6)
    home.close()
    bodies = [valid("turn", payload) for payload in home.on("kitchen/turn")]
    assert [body["turn"] for body in bodies] == [f"t{number}" for number in range(1, 7)]
    assert len({body["id"] for body in bodies}) == 6
    assert bodies == sorted(bodies, key=lambda body: body["at"])


async def test_last_will_comes_within_keep_alive(tmp_path: Path, plain: Broker) -> None:
    """The device goes silent without a goodbye: its socket stays open, nobody reads or writes."""
    home = Listener(plain.port)
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port, keepalive_s=5)
    task = asyncio.create_task(telemetry.link.run())
    await until(lambda: telemetry.link.connected)
    client = telemetry.link._client
    assert client is not None
    task.cancel()
    sock = client.socket()
    client._sock = None  # the link cannot close what it does not know
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: home.on("kitchen/availability") == [b"online", b"offline"], 5 * 1.5 + 5)
    home.close()
    assert sock is not None


async def test_discovery_is_taken_back(tmp_path: Path, plain: Broker) -> None:
    found = []
    for wanted in (True, False):
        telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port, discovery=wanted)
        async with running(telemetry):
            await until(lambda telemetry=telemetry: telemetry.hears_broker)
        home = Listener(plain.port, "homeassistant/#")
        await asyncio.sleep(0.2)
        home.close()
        found.append(len(home.on("/config")))
    assert found == [1, 0]


async def test_a_late_last_will_is_contradicted(tmp_path: Path, plain: Broker) -> None:
    home = Listener(plain.port)
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port)
    async with running(telemetry):
        await until(lambda: home.on("kitchen/availability") == [b"online"])
        home.client.publish("appliance/kitchen/availability", "offline", 1, retain=True)
        await until(lambda: home.on("kitchen/availability")[-2:] == [b"offline", b"online"])
    home.close()


LONELY = """
import asyncio, sys
from pathlib import Path
from appliance.events import Bus, ButtonPressed
from tests.telemetry import PlayedDevice, make, turn

async def main():
    bus = Bus()
    telemetry = make(Path(sys.argv[1]), bus, PlayedDevice(), port=int(sys.argv[2]))
    task = asyncio.create_task(telemetry.run())
    await asyncio.sleep(0.2)
    for number in range(1, 51):
        bus.publish(turn(number))
    bus.publish(ButtonPressed(gesture="double"))
    await task

asyncio.run(main())
"""


def kept(folder: Path) -> int:
    """Rows in the outbox's file, as another process left it."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(folder / "outbox.sqlite")) as db:
        return int(db.execute("SELECT count(*) FROM outbox").fetchone()[0])
    return 0


async def test_a_device_that_is_killed_delivers_what_it_had_kept(tmp_path: Path, plain: Broker) -> None:
    """kill -9 while the broker is away, as a power cut does it; the next run delivers it once, in order, as it was."""
    plain.kill()
    arguments = [sys.executable, "-c", LONELY, str(tmp_path), str(plain.port)]
    lonely = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL)
    try:
        await until(lambda: kept(tmp_path) >= 51, 20.0)
    finally:
        lonely.kill()
        await lonely.wait()
    plain.start()
    home = Listener(plain.port)
    async with running(make(tmp_path, Bus(), PlayedDevice(), port=plain.port)):
        await until(lambda: len(home.on("kitchen/turn")) == 50 and home.on("event/button"))
        await until(lambda: kept(tmp_path) == 0, 15.0)
    home.close()
    assert [json.loads(payload)["turn"] for payload in home.on("kitchen/turn")] == [f"t{n}" for n in range(1, 51)]
