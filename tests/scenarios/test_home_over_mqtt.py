"""In: spoken commands, the real program, a real Mosquitto and a home server on it. Out: the house's words are spoken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.events import Outcome, TurnRecord
from appliance.replay.feed import feed_settings
from appliance.replay.player import Player
from appliance.replay.recording import load
from appliance.settings import load as load_settings
from tests.broker import Broker, Listener, broker, needs_mosquitto
from tests.shared import AUDIO, MODELS, needs_shared
from tests.telemetry import until

pytestmark = [needs_shared, needs_mosquitto, pytest.mark.timeout(120)]
HOME = AUDIO / "commands/home"


class HomeServer(Listener):
    """Answers home requests as the blueprint does, unless it is told to be silent."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.answers: dict[str, Any] | None = {"ok": True, "reply": "The house has done it."}
        remember = self.client.on_message

        def answer(client: Any, data: Any, message: Any) -> None:
            remember(client, data, message)  # type: ignore[misc]
            if message.topic.endswith("/home/request") and self.answers is not None:
                request = json.loads(message.payload)
                client.publish(request["reply_to"], json.dumps({"id": request["id"], **self.answers}), 1)

        self.client.on_message = answer

    def announce(self) -> None:
        self.client.publish("appliance/home/names", (HOME / "home.json").read_text(), 1, retain=True)
        self.client.publish("appliance/home/availability", "online", 1, retain=True)


@asynccontextmanager
async def device(made: Broker, folder: Path, speed: float = 0.0, *more: str) -> AsyncIterator[Appliance]:
    assignments = (
        "telemetry.mqtt.host=127.0.0.1", f"telemetry.mqtt.port={made.port}", "telemetry.mqtt.tls=false",
        "device.id=study", "tts.warm=false", "conversation.follow_up=false", f"models.mirror={MODELS}",
        *more,
    )  # fmt: skip
    settings = feed_settings(load_settings(None, assignments, {})[0], folder, speed)
    async with app.running(settings, catalogue.resolve(settings)) as appliance:
        assert await appliance.wait_ready()
        yield appliance


async def test_the_house_answers_refuses_and_is_silent(tmp_path: Path) -> None:
    file = sorted(HOME.glob("lock*.flac"))[0]
    with broker(tmp_path / "broker") as made:
        house = HomeServer(made.port)
        async with device(made, tmp_path / "device") as appliance:

            async def say() -> TurnRecord:
                return (await Player(appliance, "button", False).play(load(file))).record

            await until(lambda: appliance.telemetry.link.connected)
            house.announce()
            await until(lambda: appliance.agent.context.home is not None and appliance.agent.home.entities, 20)
            await until(lambda: not appliance.telemetry.names.tasks, 20)  # the recogniser has learnt the names
            done = await say()
            assert (done.outcome, done.reply) == (Outcome.HANDED_OVER, "The house has done it."), (
                done.transcript,
                done.confidence,
            )
            request = json.loads(house.on("home/request")[0])
            assert request["intent"] == done.intent and request["slots"] == done.slots
            house.answers = {"ok": False, "reply": "The door is jammed."}
            refused = await say()
            assert (refused.outcome, refused.reply) == (Outcome.FAILED, "The door is jammed.")
            house.answers = None
            silent = await say()
            assert (silent.outcome, silent.reply) == (Outcome.FAILED, "The home server does not answer.")
            house.client.publish("appliance/home/availability", "offline", 1, retain=True)
            await until(lambda: appliance.agent.context.home is None)
            assert (await say()).outcome is Outcome.NO_HOME_SERVER
            house.client.publish("appliance/study/cmd/self_test", "{}", 1)
            house.client.publish("appliance/study/cmd/restart_engine", '{"engine":"tts"}', 1)
            await until(lambda: len(house.on("study/reply")) == 2, 25)
            replies = {reply["command"]: reply for reply in map(json.loads, house.on("study/reply"))}
            assert replies["self_test"]["result"]["checks"]["engine_stt"] is True
            assert replies["restart_engine"]["ok"], replies["restart_engine"]["error"]
        await until(lambda: house.on("study/availability")[-1:] == [b"offline"])
        await asyncio.sleep(0.1)
        house.close()
    assert len(house.on("study/turn")) == 4


async def test_the_device_that_heard_worse_stops_silently(tmp_path: Path) -> None:
    """A real wake word; another device claims it with a better score: no reply here, and the broker knows why."""
    file = sorted((AUDIO / "wake/alexa").iterdir())[1]
    with broker(tmp_path / "broker") as made:
        house = Listener(made.port)
        remember = house.client.on_message

        def claim(client: Any, data: Any, message: Any) -> None:
            remember(client, data, message)  # type: ignore[misc]
            if message.topic == "appliance/study/claim":
                better = {"v": 1, "wake_word": json.loads(message.payload)["wake_word"], "score": 1.0, "level_dbfs": 0}
                client.publish("appliance/hall/claim", json.dumps(better), 0)

        async with device(made, tmp_path / "device", 1.0) as appliance:
            await until(lambda: appliance.telemetry.link.connected)
            await asyncio.sleep(0.3)
            alone = (await Player(appliance, "wake", True).play(load(file))).record
            assert alone.outcome is not Outcome.CANCELLED, "nobody else heard it"
            made.freeze()  # nobody waits for the broker: the winner, or whoever is alone, answers as fast as without one
            held_up = (await Player(appliance, "wake", True).play(load(file))).record
            made.thaw()
            assert held_up.outcome is alone.outcome and appliance.telemetry.claims.yielded == 0
            house.client.on_message = claim
            lost = (await Player(appliance, "wake", True).play(load(file))).record
            assert (lost.outcome, lost.reply) == (Outcome.CANCELLED, None)
            await until(lambda: house.on("event/yield"))
        house.close()
    assert json.loads(house.on("event/yield")[0])["winner"] == "hall"
    assert json.loads(house.on("study/turn")[-1])["outcome"] == "cancelled"
