"""In: commands, answering and silent devices, requests of strange pages. Out: each device's own answer, and the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("msgspec", reason="the extra 'hub' is not installed")

from appliance.errors import UsageError
from appliance.hub.access import token
from appliance.hub.commands import desk as desk_module
from appliance.hub.commands.desk import Desk
from appliance.hub.fleet.likeness import outliers, z_scores
from appliance.hub.fleet.spread import histogram, shares
from appliance.hub.reception.address import address
from appliance.hub.reception.broker import BrokerError
from tests.unit.test_hub_fleet import House, device

HOST = {"host": "127.0.0.1:8725", "content-type": "application/json"}


class Post:
    """A broker with devices behind it; those in `silent` never answer."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.silent: set[str] = set()
        self.refuse: set[str] = set()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.away = False

    def publish(self, topic: str, payload: bytes, response_topic: str, correlation: bytes) -> None:
        if self.away:
            raise BrokerError("no-broker", "The broker is away: nothing was sent.")
        self.sent.append((topic, json.loads(payload)))
        _, name, _, command = topic.split("/")
        if name in self.silent:
            return
        error = {"code": "busy", "message": "It speaks."} if name in self.refuse else None
        body = {"v": 1, "command": command, "ok": error is None, "result": None if error else {"percent": 30},
                "error": error, "request_id": None}  # fmt: skip
        where = address("appliance", response_topic)
        assert where is not None
        self.house.fleet.take(where, json.dumps(body).encode(), False, correlation)


class Desks:
    def __init__(self) -> None:
        self.house = House()
        for number in (1, 2, 3):
            one = device(number)
            self.house.say(one.id, "info", one.info(), retain=True)
        self.post, self.audit = Post(self.house), []  # type: ignore[var-annotated]
        self.desk = Desk(self.house.fleet, self.post, "appliance", "hub-1", lambda *row: self.audit.append(row))
        self.house.fleet.follow(self.desk)


@pytest.fixture
def desks() -> Desks:
    return Desks()


async def test_every_device_answers_for_itself(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "ANSWER_S", 0.05)
    desks.post.silent, desks.post.refuse = {"sim-00002"}, {"sim-00003"}
    names = ["sim-00001", "sim-00002", "sim-00003", "sim-00001"]
    results = await desks.desk.give(names, "volume", {"percent": 30}, "anna")
    assert [(result.device, result.ok) for result in results] == [
        ("sim-00001", True), ("sim-00002", False), ("sim-00003", False),
    ]  # fmt: skip
    assert results[0].answer == {"percent": 30} and results[0].took_ms is not None
    assert results[1].took_ms is None and "No answer" in results[1].answer
    assert results[2].answer == "It speaks."
    assert desks.post.sent[0] == ("appliance/sim-00001/cmd/volume", {"percent": 30})
    assert {(row[1], row[2], row[5]) for row in desks.audit} == {
        ("anna", "sim-00001", True), ("anna", "sim-00002", False), ("anna", "sim-00003", False),
    }  # fmt: skip
    assert desks.desk._waiting == {}


@pytest.mark.parametrize(
    ("names", "command", "args", "sentence"),
    [([], "mute", {}, "No device"), (["nobody"], "mute", {}, "no device 'nobody'"),
     (["sim-00001"], "format", {}, "no such command"),
     (["sim-00001"], "volume", {"percent": 700}, "percent"), ([f"d{n}" for n in range(501)], "mute", {}, "the most")],
)  # fmt: skip
async def test_what_no_device_would_take_is_sent_to_nobody(
    desks: Desks, names: list[str], command: str, args: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        await desks.desk.give(names, command, args, "anna")
    assert desks.post.sent == []


async def test_a_broker_that_is_away_is_told(desks: Desks) -> None:
    desks.post.away = True
    (result,) = await desks.desk.give(["sim-00001"], "stop", {}, "anna")
    assert not result.ok and "away" in result.answer and desks.audit[0][5] is False


async def test_announced_words_are_not_kept(desks: Desks) -> None:
    await desks.desk.give(["sim-00001"], "say", {"text": "The secret word"}, "anna")
    assert "secret" not in str(desks.audit) and desks.audit[0][4] == {"text": "15 characters"}


def test_only_our_own_page_may_ask_for_something() -> None:
    made = token.make()
    token.check({**HOST, "x-csrf-token": made, "origin": "http://127.0.0.1:8725"}, made)
    for headers in (
        HOST,
        {**HOST, "x-csrf-token": "x" + made[1:]},
        {**HOST, "x-csrf-token": made, "origin": "http://evil.example"},
        {**HOST, "x-csrf-token": made, "content-type": "text/plain"},
    ):
        with pytest.raises(UsageError):
            token.check(headers, made)


def test_who_differs_from_its_like_is_found() -> None:
    house = House()
    for number in range(1, 9):
        one = device(number)
        house.say(one.id, "info", {**one.info(), "board": "Raspberry Pi 5"}, retain=True)
        body = {**one.metrics(10.0)[0], "at": house.wall_s}
        body["measures"]["temperature_c"] = 81.0 if number == 5 else 50.0 + number / 10
        house.say(one.id, "metrics", body)
    found = [(one.device, one.measure) for one in outliers(house.fleet) if one.measure == "temperature_c"]
    assert found == [("sim-00005", "temperature_c")]
    assert z_scores([1.0, 1.0, 1.0, 1.0, 1.001])[1][-1] < 3.5


def test_the_histogram_counts_every_turn_once() -> None:
    house = House()
    one = device()
    for _ in range(20):
        house.say(one.id, "turn", {**one.turn(), "at": house.wall_s})
    bars = histogram(house.fleet)
    assert sum(bars.counts) + bars.failed == 20 and len(bars.edges_ms) == len(bars.counts) + 1
    assert shares(["b", "a", "b"]) == {"b": 2, "a": 1}
