"""In: the discovery message. Out: Home Assistant's own code accepts every entity of it, where a Python that has it is here.

Set HOME_ASSISTANT_PYTHON to a Python with `homeassistant` installed (2025.2 or newer) to run the tests with it
(`make homeassistant`).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ActionError
from appliance.events import Bus, ButtonPressed, WakeDetected
from appliance.settings.device import DeviceSettings
from appliance.telemetry.commands.schema import COMMANDS, parse
from appliance.telemetry.mqtt.discovery import device_message
from appliance.telemetry.mqtt.topics import Topics
from tests.broker import Broker, Listener, needs_mosquitto
from tests.contract.home_assistant import Core
from tests.telemetry import PlayedDevice, make, running, turn, until

PYTHON = os.environ.get("HOME_ASSISTANT_PYTHON")


@pytest.fixture
def message() -> dict[str, Any]:
    device = DeviceSettings(id="kitchen-1", area="Kitchen")
    return device_message(Topics("appliance", "kitchen-1"), device, {"version": "1.0"})


def test_every_entity_can_be_told_from_every_other(message: dict[str, Any]) -> None:
    components = message["cmps"]
    assert len({component["unique_id"] for component in components.values()}) == len(components)
    for component in components.values():
        assert component["default_entity_id"].startswith(component["p"] + ".")
    assert message["dev"]["suggested_area"] == "Kitchen"


def test_what_home_assistant_sends_is_a_command(message: dict[str, Any]) -> None:
    """Payloads of buttons and of the switch, as they stand in the message."""
    sent = [
        (component["command_topic"].rpartition("/")[2], component[key])
        for component in message["cmps"].values()
        for key in ("payload_press", "payload_on", "payload_off")
        if key in component
    ]
    assert {name for name, _ in sent} >= {"stop", "mute"}
    for name, payload in sent:
        assert isinstance(parse(name, payload.encode()), COMMANDS[name])


@pytest.mark.skipif(PYTHON is None, reason="HOME_ASSISTANT_PYTHON names no Python with Home Assistant")
def test_home_assistant_accepts_every_entity(message: dict[str, Any]) -> None:
    script = Path(__file__).with_name("home_assistant_check.py")
    done = subprocess.run(
        [str(PYTHON), str(script)], input=json.dumps(message), capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert len(said["entities"]) == len(message["cmps"])
    # `default_entity_id` is newer than some cores (2025.10); nothing else may be unknown to them
    assert {key for unknown in said["unknown"].values() for key in unknown} <= {"default_entity_id"}


@pytest.mark.skipif(PYTHON is None, reason="HOME_ASSISTANT_PYTHON names no Python with Home Assistant")
@needs_mosquitto
@pytest.mark.timeout(300)
async def test_the_blueprint_answers_and_tells_names(tmp_path: Path, plain: Broker) -> None:
    """docs/home-assistant/home_commands.yaml in a real core: names come, a sentence is answered or refused in words."""
    played = PlayedDevice()
    core = Core(str(PYTHON), tmp_path / "core", plain.port)
    telemetry = make(tmp_path, Bus(), played, port=plain.port, home_deadline_s=5.0)
    request = {"intent": "x", "slots": {}, "domain": None, "language": "en", "area": None}
    async with running(telemetry):
        async with core.run():
            await until(lambda: played.served[-1:] == [True] and played.names, 30.0)
            assert await telemetry.home.ask({**request, "text": "what time is it"})
            with pytest.raises(ActionError, match="frobnicator"):
                await telemetry.home.ask({**request, "text": "turn on the frobnicator"})
        await until(lambda: played.served[-1] is False, 5.0)
    assert set(played.names[-1]) == {"areas", "entities"}


@pytest.mark.skipif(PYTHON is None, reason="HOME_ASSISTANT_PYTHON names no Python with Home Assistant")
@needs_mosquitto
@pytest.mark.timeout(300)
async def test_a_real_core_takes_the_device_in_and_lets_it_go(tmp_path: Path, plain: Broker) -> None:
    """Home Assistant itself with its MQTT integration: every entity is there with a state; later none is left."""
    listener, bus = Listener(plain.port, "homeassistant/#"), Bus()
    core = Core(str(PYTHON), tmp_path / "core", plain.port)
    telemetry = make(tmp_path, bus, PlayedDevice(), port=plain.port, discovery=True)
    async with running(telemetry), core.run():
        await until(lambda: len(listener.on("/config")) >= 2, 30.0)  # once by itself, once more for the core's birth
        for number in range(3):
            bus.publish(turn(number, ms={"response": 210.0}, intent="HassStartTimer"))
        bus.publish(ButtonPressed(gesture="double"))
        bus.publish(WakeDetected(wake_word="alexa", score=0.97, level_dbfs=-30.0))
        await asyncio.sleep(8.0)  # the core takes the entities in, and a metrics message with the turns
    message = json.loads(listener.on("/config")[-1])
    seen = core.entities()
    assert len(seen) == len(message["cmps"]), core.log()[-3000:]
    assert "ERROR" not in "".join(line for line in core.log().splitlines() if "mqtt" in line)
    assert [one.entity_id for one in seen if one.state == "unavailable"] == []
    states = {one.key: one.state for one in seen}
    assert states["response_p50"] == "210.0" and states["muted"] == "off" and states["volume"] == "70"
    assert len(core.devices()) == 1
    if listing := os.environ.get("HOME_ASSISTANT_LISTING"):
        rows = [f"| `{one.entity_id}` | {one.name} | {one.category} | {one.state or ''} |" for one in seen]
        Path(listing).write_text("\n".join(["| entity | name | category | state |", "|---|---|---|---|", *rows, ""]))
    async with core.run():  # it forgets what is taken back while it runs, as with every MQTT device
        for wanted in (True, False):
            async with running(make(tmp_path, bus, PlayedDevice(), port=plain.port, discovery=wanted)):
                await asyncio.sleep(4.0)
    listener.close()
    assert core.entities() == [] and core.devices() == [], "removed cleanly"
