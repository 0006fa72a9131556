"""In: a fleet on a fake clock. Out: /metrics is Prometheus' format, names every device, and forgets silent ones."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("starlette", reason="the extra 'hub' is not installed")

from appliance.hub.access.local import host_name, is_local
from appliance.hub.prometheus.exposition import exposition
from tests.unit.test_hub_fleet import House, device

SAMPLE = re.compile(r'^([a-z][a-z0-9_]*)\{device="([^"]+)"(?:,[a-z]+="[^"]*")*\} -?[0-9.e+-]+$')


async def test_families_stand_together_and_in_base_units() -> None:
    house = House()
    for number in (1, 2, 3):
        one = device(number, seed=number)
        for _ in range(6):
            house.say(one.id, "turn", {**one.turn(), "at": house.wall_s})
        house.speak(one)
    text = await exposition(house.fleet, house.monotonic_s)
    order = []
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match is not None, line
            if not order or order[-1] != match[1]:
                order.append(match[1])
    assert len(order) == len(set(order))
    assert set(re.findall(r'device="([^"]+)"', text)) == {"sim-00001", "sim-00002", "sim-00003"}
    assert 'appliance_temperature_celsius{device="sim-00001"}' in text


async def test_a_silent_device_vanishes_after_a_minute() -> None:
    house = House()
    house.speak(device())
    house.wait(59.0)
    assert 'appliance_up{device="sim-00001"} 0' in await exposition(house.fleet, house.monotonic_s)
    house.wait(2.0)
    assert await exposition(house.fleet, house.monotonic_s) == ""


@pytest.mark.parametrize(
    ("header", "local"),
    [("localhost:8725", True), ("127.0.0.1", True), ("[::1]:8725", True), ("evil.example:8725", False), ("", False),
     ("127.0.0.1.evil.example", False), ("10.0.0.2", False)],
)  # fmt: skip
def test_only_local_hosts_are_local(header: str, local: bool) -> None:
    assert is_local(host_name(header)) is local
