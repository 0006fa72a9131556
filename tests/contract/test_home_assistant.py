"""In: the discovery message. Out: Home Assistant's own code accepts every entity of it, where a Python that has it is here.

Set HOME_ASSISTANT_PYTHON to a Python with `homeassistant` installed (2025.2 or newer) to run the second test.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.settings.device import DeviceSettings
from appliance.telemetry.commands import COMMANDS, parse
from appliance.telemetry.discovery import device_message
from appliance.telemetry.topics import Topics

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
    for component in message["cmps"].values():
        for key in ("payload_press", "payload_on", "payload_off"):
            if key in component:
                name = component["command_topic"].rpartition("/")[2]
                assert isinstance(parse(name, component[key].encode()), COMMANDS[name])


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
