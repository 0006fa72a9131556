"""In: nothing. Out: a telemetry of a device that is played by hand: facts, hands and house as plain objects."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

import appliance.telemetry
from appliance.errors import UsageError
from appliance.events import Bus, Hearing, Outcome, TurnEnded, TurnRecord
from appliance.settings.device import DeviceSettings
from appliance.settings.telemetry import TelemetrySettings
from appliance.telemetry.device import EngineFacts
from appliance.telemetry.telemetry import Telemetry
from tests.broker import Authority, Broker, Listener

SCHEMAS = Path(appliance.telemetry.__file__).parent / "schemas"
PASSWORDS = {"kitchen": "one", "hall": "two", "homeassistant": "three"}


def valid(name: str, payload: bytes) -> dict[str, Any]:
    """The message, checked against its schema."""
    tree: dict[str, Any] = json.loads(payload)
    jsonschema.validate(tree, json.loads((SCHEMAS / f"{name}.json").read_text()))
    return tree


def owner(secure: Broker, authority: Authority) -> Listener:
    """The home server's account on the secured broker."""
    return Listener(secure.port, ca=authority.cert, user="homeassistant", password="three")


class PlayedDevice:
    """Source, Hands and House of telemetry.device; everything asked of it is noted in `asked`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.names: list[Any] = []
        self.served: list[bool] = []
        self.yielded: list[str] = []
        self.hears = (Hearing.HEARING, None)
        self.led: list[float] = []
        self.lookups = (0, 0)
        self.counters: dict[str, dict[str, float]] = {"sound": {"frames": 1.0}}
        self.restarts = 0

    def engines(self) -> Mapping[str, EngineFacts]:
        return {
            name: EngineFacts(True, "e", "m", self.restarts, False, None, None, self.counters.get(name, {}))
            for name in ("sound", "stt", "tts")
        }

    def hearing(self) -> tuple[Hearing, str | None]:
        return self.hears

    def muted(self) -> bool:
        return False

    def volume_percent(self) -> int:
        return 70

    def startup_s(self) -> float | None:
        return 1.5

    def led_ms(self) -> Sequence[float]:
        return self.led

    def intent_lookups(self) -> tuple[int, int]:
        return self.lookups

    def dropped(self) -> Mapping[str, int]:
        return {"telemetry": 0}

    def about(self) -> Mapping[str, Any]:
        return {"version": "1", "name": "N", "area": None, "language": "en", "wake_words": ["alexa"], "models": {}}

    async def say(self, text: str, chime: bool, volume_percent: int | None) -> None:
        self.asked.append(("say", text, chime, volume_percent))

    async def listen(self) -> None:
        self.asked.append(("listen",))

    async def stop(self) -> bool:
        self.asked.append(("stop",))
        return False

    async def mute(self, muted: bool) -> None:
        self.asked.append(("mute", muted))

    async def set_volume(self, percent: int) -> None:
        self.asked.append(("volume", percent))

    async def set_brightness(self, percent: int) -> None:
        raise UsageError("no-leds", "This device has no LEDs to dim.")

    async def start_timer(self, seconds: float, name: str | None) -> str:
        self.asked.append(("timer", seconds, name))
        return "t1"

    async def cancel_timer(self, timer: str | None) -> int:
        return 1

    async def self_test(self) -> Mapping[str, Any]:
        return {"hears": True}

    async def restart_engine(self, engine: str) -> None:
        self.asked.append(("restart", engine))

    async def set_log_level(self, level: str) -> None:
        self.asked.append(("log", level))

    async def home_named(self, tree: Any) -> None:
        self.names.append(tree)

    def home_served(self, served: bool) -> None:
        self.served.append(served)

    def yield_turn(self, winner: str) -> None:
        self.yielded.append(winner)


def make(folder: Path, bus: Bus, played: PlayedDevice, device: str = "kitchen", **mqtt: Any) -> Telemetry:
    """Telemetry of a device whose state is kept in `folder`."""
    known = {"host": "localhost", "tls": False, "backoff_first_s": 0.1, "backoff_most_s": 1.0, **mqtt}
    settings = TelemetrySettings.model_validate({"mqtt": known, "metrics_interval_s": 0.5, "memory_interval_s": 60})
    return Telemetry(settings, DeviceSettings(id=device, state_dir=folder), bus, played, played, played)


@contextlib.asynccontextmanager
async def running(telemetry: Telemetry) -> AsyncIterator[asyncio.Task[None]]:
    """Telemetry, running for as long as the context lasts, then ended as the app does it."""
    task = asyncio.create_task(telemetry.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Any, seconds: float = 10.0) -> None:
    """Waits for a condition. Fails when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is another process's
            await asyncio.sleep(0.01)


def turn(number: int, outcome: Outcome = Outcome.ANSWERED, **more: Any) -> TurnEnded:
    """A turn that is over."""
    return TurnEnded(record=TurnRecord(turn=f"t{number}", outcome=outcome, cause="wake", **more))
