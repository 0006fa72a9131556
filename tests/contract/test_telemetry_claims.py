"""In: several devices on a real Mosquitto that hear one wake word. Out: exactly one of them goes on listening."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from appliance.events import Bus, TurnStarted, WakeDetected
from tests.broker import Broker, Listener, needs_mosquitto
from tests.telemetry import PlayedDevice, make, running, turn, until

pytestmark = needs_mosquitto


async def test_exactly_one_of_three_answers(tmp_path: Path, plain: Broker) -> None:
    """200 wake words, each heard by three devices with random delays of 0–100 ms: one of them goes on listening."""
    import random

    chance = random.Random(5)
    names, trials = ("attic", "hall", "kitchen"), 200
    buses, played = [Bus() for _ in names], [PlayedDevice() for _ in names]
    devices = [
        make(tmp_path / name, bus, house, name, port=plain.port)
        for name, bus, house in zip(names, buses, played, strict=True)
    ]
    for name in names:
        (tmp_path / name).mkdir()
    lost: dict[str, list[str]] = {f"w{n}": [] for n in range(trials)}
    for name, device in zip(names, devices, strict=True):

        def yields(word: str, winner: str, name: str = name) -> None:
            lost[word].append(name)

        device.claims.arbiter.on_yield = yields
    async with running(devices[0]), running(devices[1]), running(devices[2]):
        await until(lambda: all(device.link.connected for device in devices))
        await asyncio.sleep(0.2)

        async def wake(word: str, number: int, delay_s: float, score: float, level: float) -> None:
            await asyncio.sleep(delay_s)
            buses[number].publish(WakeDetected(wake_word=word, score=score, level_dbfs=level))

        for first in range(0, trials, 10):
            wakes = [
                wake(
                    f"w{n}", number, chance.uniform(0, 0.1), chance.choice((0.95, 0.99)), chance.choice((-40.0, -30.0))
                )
                for n in range(first, first + 10)
                for number in range(3)
            ]
            await asyncio.gather(*wakes)
            await until(lambda first=first: all(len(lost[f"w{n}"]) >= 2 for n in range(first, first + 10)))
        answering = {word: sorted(set(names) - set(losers)) for word, losers in lost.items()}
        assert [word for word, who in answering.items() if len(who) != 1] == []
        plain.kill()
        for count in (len(losers) for losers in lost.values()):
            assert count == 2
        lost["alone"] = []
        await until(lambda: not any(device.link.connected for device in devices))
        await asyncio.gather(*(wake("alone", number, 0.0, 0.9, -30.0) for number in range(3)))
        await asyncio.sleep(0.3)
        assert lost["alone"] == [], "without a broker every device answers"


async def test_a_lost_turn_is_stopped_whenever_it_begins(tmp_path: Path, plain: Broker) -> None:
    other = Listener(plain.port)
    bus, played = Bus(), PlayedDevice()
    telemetry = make(tmp_path, bus, played, port=plain.port)
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        await asyncio.sleep(0.2)
        better = json.dumps({"v": 1, "wake_word": "alexa", "score": 1.0, "level_dbfs": -10})
        other.client.publish("appliance/hall/claim", better, 0)
        await until(lambda: telemetry.claims.arbiter._others)
        bus.publish(WakeDetected(wake_word="alexa", score=0.9))
        await asyncio.sleep(0.05)
        assert played.yielded == [], "there is no turn yet"
        bus.publish(TurnStarted(turn="t1", cause="wake"))
        await until(lambda: played.yielded == ["hall"])
        bus.publish(turn(1))
        bus.publish(TurnStarted(turn="t2", cause="button"))
        await asyncio.sleep(0.05)
        assert played.yielded == ["hall"], "a press of the button is nobody else's"
    other.close()
