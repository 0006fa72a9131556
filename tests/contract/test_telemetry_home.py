"""In: home requests through a real Mosquitto. Out: the home server's reply, or that there was none in time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from appliance.events import Bus
from tests.broker import Authority, Broker, needs_mosquitto
from tests.telemetry import PlayedDevice, make, owner, running, until, valid

pytestmark = needs_mosquitto


async def test_home_request_and_reply(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any]
) -> None:
    from appliance.errors import ActionError

    home, played = owner(secure, authority), PlayedDevice()
    telemetry = make(tmp_path, Bus(), played, **login, home_deadline_s=0.5)
    wish = {"intent": "HassTurnOn", "slots": {"name": "lamp"}, "domain": "light", "text": "turn on the lamp",
            "language": "en", "area": None}  # fmt: skip
    async with running(telemetry):
        home.client.publish("appliance/home/names", '{"areas":["Kitchen"],"entities":[]}', 1, retain=True)
        home.client.publish("appliance/home/availability", "online", 1, retain=True)
        await until(lambda: played.served == [True] and played.names == [{"areas": ["Kitchen"], "entities": []}])
        with pytest.raises(ActionError, match="does not answer"):
            await telemetry.home.ask(wish)
        asking = asyncio.create_task(telemetry.home.ask(wish))
        await until(lambda: len(home.on("home/request")) == 2)
        request = valid("home_request", home.on("home/request")[1])
        home.client.publish(request["reply_to"], "rubbish", 1)
        home.client.publish(request["reply_to"], '{"id":"other","reply":"wrong"}', 1)
        home.client.publish(request["reply_to"], json.dumps({"id": request["id"], "reply": "The lamp is on."}), 1)
        assert await asking == "The lamp is on."
        home.client.publish("homeassistant/status", "offline", 1)
        await until(lambda: played.served == [True, False])
        home.client.publish("homeassistant/status", "online", 1)
        await until(lambda: played.served == [True, False, True])
        await until(lambda: len(home.on("device/appliance_kitchen/config")) == 2)
        await asyncio.to_thread(secure.kill)
        await until(lambda: played.served[-1:] == [False])
    home.close()
