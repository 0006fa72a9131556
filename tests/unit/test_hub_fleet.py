"""In: messages of simulated devices on a fake clock. Out: silence, floods, doubles, clocks and damage are found."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("msgspec", reason="the extra 'hub' is not installed")

from appliance.hub.fleet.clock import Skew
from appliance.hub.fleet.fleet import Fleet, UnknownDeviceError
from appliance.hub.fleet.flood import BURST, PER_S, Flood
from appliance.hub.fleet.numbering import Numbered, Numbering
from appliance.hub.fleet.view import Condition
from appliance.hub.reception.address import address
from appliance.hub.simulate.device import Fault, SimulatedDevice


@dataclass
class House:
    """A fleet with hands: devices speak, time passes."""

    wall_s: float = 1_800_000_000.0
    monotonic_s: float = 1000.0
    fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        self.fleet = Fleet(lambda: self.wall_s, lambda: self.monotonic_s)

    def wait(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds
        self.fleet.look()

    def say(self, device: str, name: str, body: Any, retain: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        where = address("appliance", f"appliance/{device}/{name}")
        assert where is not None
        self.fleet.take(where, payload, retain)

    def speak(self, device: SimulatedDevice) -> None:
        """One set of metrics, with the house's time on it."""
        self.say(device.id, "metrics", {**device.metrics(10.0)[0], "at": self.wall_s})


@pytest.fixture
def house() -> House:
    return House()


def device(number: int = 1, fault: Fault | None = None, seed: int = 1) -> SimulatedDevice:
    return SimulatedDevice(f"sim-{number:05d}", random.Random(seed), fault)


def test_real_messages_make_a_whole_card(house: House) -> None:
    one = device()
    house.say(one.id, "info", one.info(), retain=True)
    house.say(one.id, "state", one.state(), retain=True)
    for _ in range(6):
        house.say(one.id, "turn", {**one.turn(), "at": house.wall_s})
    house.speak(one)
    view = house.fleet.view(one.id)
    assert (view.name, view.state, view.hearing) == ("Living room 1", "idle", "hearing")
    assert view.condition is Condition.WELL and view.troubles == () and view.refused == 0
    assert view.response_ms is not None and len(view.spark) == 6 and view.turns_today == 6


def test_silence_is_found_after_two_and_a_half_intervals(house: House) -> None:
    one = device()
    house.speak(one)
    heard_s = house.wall_s
    house.wait(25.9)
    assert house.fleet.view(one.id).condition is Condition.WELL
    house.wait(0.2)
    view = house.fleet.view(one.id)
    assert view.condition is Condition.SILENT and view.silent_since_s == heard_s
    assert view.troubles[0].kind == "silent"
    house.speak(one)
    assert house.fleet.view(one.id).condition is Condition.WELL


def test_a_will_that_says_online_hides_no_silence(house: House) -> None:
    one = device()
    house.speak(one)
    house.say(one.id, "availability", b"online", retain=True)
    house.wait(27.0)
    assert house.fleet.view(one.id).condition is Condition.SILENT


def test_retained_facts_alone_are_not_being_heard(house: House) -> None:
    one = device()
    house.say(one.id, "info", one.info(), retain=True)
    house.wait(1000.0)
    view = house.fleet.view(one.id)
    assert view.heard_s is None and view.condition is Condition.UNKNOWN


def test_a_flood_is_cut_and_harms_no_other(house: House) -> None:
    bad, good = device(1), device(2, seed=2)
    for _ in range(int(BURST) + 50):
        house.say(bad.id, "event/near_miss", {**bad.stamp(), "at": house.wall_s, "event_type": "near_miss"})
    house.speak(good)
    assert house.fleet.view(bad.id).dropped == 50
    assert [trouble.kind for trouble in house.fleet.view(bad.id).troubles] == ["flood"]
    assert house.fleet.view(good.id).troubles == () and house.fleet.view(good.id).dropped == 0


def test_a_flood_ends() -> None:
    flood = Flood(at_s=0.0)
    assert all(flood.take(0.0) for _ in range(int(BURST)))
    assert not flood.take(0.0) and flood.since_s == 0.0
    assert flood.take(1.0 / PER_S + 0.001)
    assert not flood.over(29.0) and flood.over(31.0) and flood.since_s is None


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("metrics", b"{"),
        ("metrics", b"\xff\xfe"),
        ("metrics", b"[" * 100_000),
        ("turn", {"v": 1}),
        ("state", {"v": 1, "state": "dancing"}),
        ("availability", b"perhaps"),
        ("event/wake", {"v": 1, "id": "00000000-1", "at": 1e300, "event_type": "wake"}),
        ("event/wake", b'{"v":1,"id":"00000000-1","at":NaN,"event_type":"wake"}'),
    ],
)
def test_damaged_messages_are_counted_and_told(house: House, name: str, body: Any) -> None:
    house.speak(device())
    house.say("sim-00001", name, body)
    view = house.fleet.view("sim-00001")
    assert view.refused == 1 and [trouble.kind for trouble in view.troubles] == ["damaged"]


def test_an_unknown_version_is_told_as_one(house: House) -> None:
    old = device(fault=Fault.OLD_SCHEMA)
    house.speak(old)
    assert [trouble.kind for trouble in house.fleet.view(old.id).troubles] == ["schema"]


def test_two_devices_with_one_name_are_told_and_a_restart_is_not(house: House) -> None:
    first, second = device(seed=1), device(seed=2)
    house.speak(first)
    house.speak(second)
    assert house.fleet.view(first.id).troubles == ()
    for _ in range(3):
        house.speak(first)
        house.speak(second)
    assert [trouble.kind for trouble in house.fleet.view(first.id).troubles] == ["duplicate"]


def test_repeats_and_gaps_of_numbers() -> None:
    numbers = Numbering()
    assert [numbers.take("a", n, 0.0) for n in (1, 2, 4, 3, 4)] == [Numbered.NEW] * 4 + [Numbered.REPEATED]
    assert numbers.lost == 0
    numbers.take("a", 6, 0.0)
    numbers.take("a", 200, 0.0)
    assert numbers.lost == 200 - 64 - 7 + 1  # all but the last 64 are given up: 5 and 7 to 135
    numbers.take("b", 1, 0.0)
    assert numbers.lost == 200 - 64 - 7 + 1


def test_a_clock_ahead_is_told_at_once_and_a_backlog_is_not_a_clock_behind() -> None:
    ahead = Skew()
    ahead.add(at_s=5000.0, received_s=1000.0)
    assert ahead.seconds == 4000.0 and ahead.corrected(5000.0, 1000.0) == 1000.0
    late = Skew()
    for at_s in (100.0, 200.0, 300.0, 999.9):
        late.add(at_s, 1000.0)
    assert late.seconds is None and late.corrected(300.0, 1000.0) == 300.0
    behind = Skew()
    for _ in range(8):
        behind.add(0.0, 3600.0)
    assert behind.seconds == -3600.0


def test_changes_resume_by_number(house: House) -> None:
    one, two = device(1), device(2, seed=2)
    house.speak(one)
    before = house.fleet.changes(0)
    assert before.whole and before.changed == (one.id,)
    house.speak(two)
    after = house.fleet.changes(before.number)
    assert not after.whole and after.changed == (two.id,)
    assert house.fleet.changes(after.number).changed == ()
    house.fleet.remove(one.id)
    assert house.fleet.changes(after.number).removed == (one.id,)
    assert house.fleet.changes(house.fleet.number + 1).whole


def test_the_worst_comes_first(house: House) -> None:
    well, deaf = device(1), device(2, Fault.DEAF, seed=2)
    for each in (well, deaf):
        house.speak(each)
        house.say(each.id, "state", each.state(), retain=True)
    assert [view.id for view in house.fleet.views()] == [deaf.id, well.id]
    trouble = house.fleet.views()[0].troubles[0]
    assert trouble.kind == "deaf" and trouble.remedy is not None and trouble.remedy.command == "restart_engine"


def test_nobody_of_that_name(house: House) -> None:
    with pytest.raises(UnknownDeviceError):
        house.fleet.view("nobody")


@pytest.mark.parametrize(
    "topic", ["other/x/state", "appliance/home/names", "appliance/a b/state", "appliance/x", "appliance/x/claim"]
)
def test_topics_that_are_not_ours(topic: str) -> None:
    assert address("appliance", topic) is None
