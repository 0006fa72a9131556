"""In: every command through a real Mosquitto to the real program. Out: done for real, answered, or refused with a reason."""

from __future__ import annotations

import itertools
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from appliance.app import Appliance
from appliance.intents.home import Home
from appliance.telemetry.commands.schema import COMMANDS
from tests.broker import Listener, broker, needs_mosquitto
from tests.scenarios.test_home_over_mqtt import HOME, device
from tests.shared import needs_shared
from tests.telemetry import until, valid

pytestmark = [needs_shared, needs_mosquitto, pytest.mark.timeout(120)]


MEASURED = (
    "stt_model_mb", "tts_voice_mb", "tts_cache_mb", "cpu_idle_ratio", "memory_peak_mb", "descriptors",
    "threads", "startup_s", "deaf_s",
)  # fmt: skip
"""What the running program knows within its first minute."""


class Owner:
    """Sends commands and takes their answers."""

    def __init__(self, port: int) -> None:
        self.ears = Listener(port)
        self.asked: set[str] = set()
        self._numbers = itertools.count(1)

    async def ask(self, name: str, /, **payload: Any) -> dict[str, Any]:
        """The answer to one command, checked against its schema."""
        answer = await self.answer(self.send(name, **payload))
        assert answer["command"] == name
        assert (answer["error"] is None) == answer["ok"], "a refused command says why, a done one nothing"
        return answer

    async def answer(self, request: str, seconds: float = 20.0) -> dict[str, Any]:
        def found() -> list[bytes]:
            return [said for said in self.ears.on("study/reply") if json.loads(said)["request_id"] == request]

        await until(found, seconds)
        return valid("reply", found()[0])

    def send(self, name: str, /, **payload: Any) -> str:
        self.asked.add(name)
        request = str(next(self._numbers))
        body = json.dumps({"request_id": request, **payload})
        self.ears.client.publish(f"appliance/study/cmd/{name}", body, 1)
        return request

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ears.on("study/state")[-1])
        return found


async def test_every_command_is_done(tmp_path: Path) -> None:
    level = logging.getLogger().level
    with broker(tmp_path / "broker") as made:
        owner = Owner(made.port)
        try:
            async with device(
                made, tmp_path / "device", 1.0, "panel.board=virtual", "telemetry.metrics_interval_s=2"
            ) as appliance:
                await until(lambda: appliance.telemetry.hears_broker)
                await _speech(owner, appliance)
                await _turns(owner, appliance)
                await _loudness_and_light(owner, appliance)
                await _timers(owner, appliance)
                await _upkeep(owner, appliance)
                await until(lambda: None not in [appliance.telemetry.values.get(name) for name in MEASURED], 60.0)
                metrics = valid("metrics", owner.ears.on("study/metrics")[-1])
                assert 1 < metrics["measures"]["stt_model_mb"] < 500 and 1 < metrics["measures"]["tts_voice_mb"] < 500
        finally:
            logging.getLogger().setLevel(level)
            owner.ears.close()
    assert owner.asked == set(COMMANDS), "every command is in this test"


async def _speech(owner: Owner, appliance: Appliance) -> None:
    """Announced after a chime at its own loudness, which is the old one again afterwards; stopped in the middle."""
    heard: list[tuple[str, int | None]] = []
    appliance.ear.on_piece = lambda voice, rate_hz, piece: heard.append((voice, appliance.ear._volumes.get("reply")))
    usual = appliance.agent.levels.percent("reply")
    assert (await owner.ask("say", text="Dinner is ready.", chime=True, volume_percent=35))["ok"]
    assert heard[0][0] == "chime" and ("reply", 35) in heard
    assert appliance.ear._volumes["reply"] == usual
    heard.clear()
    assert (await owner.ask("say", text="Dinner is ready.", chime=False))["ok"]
    assert {voice for voice, _ in heard} == {"reply"}
    long = owner.send("say", text="This is a very long announcement. " * 20)
    await until(lambda: appliance.conversation.speaking)
    assert (await owner.ask("stop"))["result"] == {"stopped": True}
    await until(lambda: not appliance.conversation.speaking, 3.0)
    assert (await owner.answer(long))["ok"], "answered as soon as it is over"
    assert (await owner.ask("stop"))["result"] == {"stopped": False}
    assert "text" in (await owner.ask("say", text=""))["error"]["message"]


async def _turns(owner: Owner, appliance: Appliance) -> None:
    assert (await owner.ask("listen"))["ok"]
    await until(lambda: appliance.conversation.listening)
    assert (await owner.ask("stop"))["result"] == {"stopped": True}
    await until(lambda: owner.ears.on("study/turn"))
    told = valid("turn", owner.ears.on("study/turn")[-1])
    assert (told["cause"], told["outcome"]) == ("command", "cancelled")


async def _loudness_and_light(owner: Owner, appliance: Appliance) -> None:
    assert (await owner.ask("mute"))["result"] == {"muted": True}
    await until(lambda: owner.state()["muted"] and owner.state()["hearing"] == "muted")
    assert (await owner.ask("unmute"))["result"] == {"muted": False}
    await until(lambda: owner.state()["hearing"] == "hearing")
    assert (await owner.ask("volume", percent=45))["ok"] and appliance.agent.levels.percent("reply") == 45
    await until(lambda: owner.state()["volume_percent"] == 45)
    assert "100" in (await owner.ask("volume", percent=101))["error"]["message"]
    await until(appliance.panel.found.is_set)
    assert (await owner.ask("led_brightness", percent=20))["ok"] and appliance.panel.brightness.day_percent == 20


async def _timers(owner: Owner, appliance: Appliance) -> None:
    started = await owner.ask("timer_set", seconds=300, label="egg")
    assert started["ok"], started["error"]
    egg = started["result"]["timer"]
    await owner.ask("timer_set", seconds=600)
    assert next((timer.id, timer.name) for timer in appliance.agent.timers.all()) == (egg, "egg")
    await until(lambda: owner.ears.on("event/timer"))
    assert (await owner.ask("timer_cancel", timer=egg))["result"] == {"cancelled": 1}
    assert "no timer" in (await owner.ask("timer_cancel", timer=egg))["error"]["message"]
    assert (await owner.ask("timer_cancel"))["result"] == {"cancelled": 1}
    assert appliance.agent.timers.all() == ()


async def _upkeep(owner: Owner, appliance: Appliance) -> None:
    checks = (await owner.ask("self_test"))["result"]["checks"]
    assert checks["hears"] and checks["frames_advance"] and checks["engine_stt"]
    before = appliance.tts.pid
    assert (await owner.ask("restart_engine", engine="tts"))["ok"]
    assert appliance.tts.ready and appliance.tts.pid != before
    assert "engine" in (await owner.ask("restart_engine", engine="kitchen sink"))["error"]["message"]
    owner.ears.client.publish("appliance/home/names", (HOME / "home.json").read_text(), 1, retain=True)
    await until(lambda: appliance.agent.home.entities)
    await until(lambda: not appliance.telemetry.names.tasks, 30)
    await appliance.agent.set_home(Home())
    assert (await owner.ask("refresh_home"))["ok"]
    await until(lambda: appliance.agent.home.entities)
    assert (await owner.ask("log_level", level="ERROR"))["ok"] and logging.getLogger().level == logging.ERROR
    assert (await owner.ask("log_level", level="DEBUG"))["error"]["code"] == "bad-value"
