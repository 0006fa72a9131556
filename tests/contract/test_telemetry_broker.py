"""In: a real Mosquitto with TLS, passwords and the documented ACL. Out: telemetry keeps its promises there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import appliance.telemetry
from appliance.events import Bus, ButtonPressed, State, StateChanged, TurnStarted, WakeDetected
from tests.broker import Authority, Broker, Listener, broker, needs_mosquitto, secured
from tests.telemetry import PlayedDevice, make, running, turn, until

pytestmark = needs_mosquitto
SCHEMAS = Path(appliance.telemetry.__file__).parent / "schemas"
PASSWORDS = {"kitchen": "one", "hall": "two", "homeassistant": "three"}


def valid(name: str, payload: bytes) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(payload)
    jsonschema.validate(tree, json.loads((SCHEMAS / f"{name}.json").read_text()))
    return tree


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secure(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    with broker(tmp_path / "broker", secured(tmp_path / "broker", authority, PASSWORDS)) as made:
        yield made


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Broker]:
    with broker(tmp_path / "broker", "allow_anonymous true\nmax_queued_messages 20000\n") as made:
        yield made


@pytest.fixture
def login(tmp_path: Path, authority: Authority, secure: Broker) -> dict[str, Any]:
    """Settings of the device 'kitchen'."""
    (tmp_path / "password").write_text("one\n")
    return {
        "tls": True, "ca_file": authority.cert, "password_file": tmp_path / "password", "port": secure.port,
    }  # fmt: skip


def owner(secure: Broker, authority: Authority) -> Listener:
    return Listener(secure.port, ca=authority.cert, user="homeassistant", password="three")


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_every_message_is_as_its_schema_says(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any], version: str
) -> None:
    home, bus = owner(secure, authority), Bus()
    telemetry = make(tmp_path, bus, PlayedDevice(), **login, version=version)
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        bus.publish(StateChanged(state=State.LISTENING))
        bus.publish(turn(1, ms={"stt": 12.5}, transcript="my secret", slots={"name": "secret"}))
        bus.publish(ButtonPressed(gesture="double"))
        bus.publish(WakeDetected(wake_word="alexa", score=0.97, level_dbfs=-30.0))
        telemetry.measures.deaf_since_s = -1000.0
        await until(lambda: home.on("kitchen/metrics") and home.on("alert/deaf_s") and home.on("event/wake"))
        await until(lambda: b"listening" in home.on("kitchen/state")[-1])
        assert home.on("kitchen/availability") == [b"online"]
    await until(lambda: home.on("kitchen/availability")[-1:] == [b"offline"])
    home.close()
    said = valid("turn", home.on("kitchen/turn")[0])
    assert said["ms"]["stt"] == 12.5 and said["ms"]["response"] is None
    assert not any(b"secret" in payload for _, payload, _ in home.heard), "what was said stays on the device"
    assert valid("alert", home.on("alert/deaf_s")[0])["severity"] == "P0"
    for name in ("metrics", "state", "info", "claim"):
        for payload in home.on(f"kitchen/{name}"):
            valid(name, payload)
    events = [payload for topic, payload, _ in home.heard if "/event/" in topic]
    assert {valid("event", payload)["event_type"] for payload in events} >= {"double", "wake"}
    assert len(home.on("device/appliance_kitchen/config")) == 1


async def test_alert_is_retained_while_it_holds_and_then_taken_back(tmp_path: Path, plain: Broker) -> None:
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port)
    async with running(telemetry):
        telemetry.measures.deaf_since_s = -1000.0
        await until(lambda: telemetry.delivery.delivered["alert"] == 1)
        late = Listener(plain.port)
        await until(lambda: late.on("alert/deaf_s"))
        assert [kept for topic, _, kept in late.heard if topic.endswith("alert/deaf_s")] == [True]
        telemetry.measures.deaf_since_s = None
        await until(lambda: late.on("alert/deaf_s")[-1] == b"")
        late.close()
    newer = Listener(plain.port)
    await asyncio.sleep(0.2)
    newer.close()
    assert newer.on("alert/deaf_s") == []


async def test_a_thousand_turns_outlive_a_killed_broker(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any]
) -> None:
    home, bus = owner(secure, authority), Bus()
    telemetry = make(tmp_path, bus, PlayedDevice(), **login)
    # until its first save, some two seconds after the start, a killed broker forgets that `home` ever subscribed
    await until(lambda: (secure.folder / "mosquitto.db").exists())
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        for number in range(1, 1001):
            bus.publish(turn(number))
            if number % 10 == 0:
                await asyncio.sleep(0.005)
            if number in (300, 700):
                await asyncio.to_thread(secure.kill)
            if number in (450, 800):
                await asyncio.to_thread(secure.start)
                await until(lambda: telemetry.link.connected)
        await until(lambda: len({json.loads(p)["id"] for p in home.on("kitchen/turn")}) == 1000, 30.0)
    home.close()
    seen: dict[str, str] = {}
    for payload in home.on("kitchen/turn"):
        body = json.loads(payload)
        seen.setdefault(body["id"], body["turn"])
    assert list(seen.values()) == [f"t{number}" for number in range(1, 1001)]
    assert not telemetry.delivery.outbox.dropped
    assert telemetry.link.counters["connects"] == 3


async def test_what_was_not_delivered_survives_a_restart_of_the_device(tmp_path: Path, plain: Broker) -> None:
    plain.kill()
    bus = Bus()
    async with running(make(tmp_path, bus, PlayedDevice(), port=plain.port)):
        for number in range(1, 6):
            bus.publish(turn(number))
        bus.publish(ButtonPressed(gesture="triple"))
        await asyncio.sleep(0.1)
    plain.start()
    home, bus = Listener(plain.port), Bus()
    async with running(make(tmp_path, bus, PlayedDevice(), port=plain.port)):
        await until(lambda: len(home.on("kitchen/turn")) == 5 and home.on("event/button"))
        bus.publish(turn(6))
        await until(lambda: len(home.on("kitchen/turn")) == 6)
    home.close()
    bodies = [valid("turn", payload) for payload in home.on("kitchen/turn")]
    assert [body["turn"] for body in bodies] == [f"t{number}" for number in range(1, 7)]
    assert len({body["id"] for body in bodies}) == 6
    assert bodies == sorted(bodies, key=lambda body: body["at"])


async def test_last_will_comes_within_keep_alive(tmp_path: Path, plain: Broker) -> None:
    """The device goes silent without a goodbye: its socket stays open, nobody reads or writes."""
    home = Listener(plain.port)
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port, keepalive_s=5)
    task = asyncio.create_task(telemetry.link.run())
    await until(lambda: telemetry.link.connected)
    client = telemetry.link._client
    assert client is not None
    task.cancel()
    sock = client.socket()
    client._sock = None  # the link cannot close what it does not know
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: home.on("kitchen/availability") == [b"online", b"offline"], 5 * 1.5 + 5)
    home.close()
    assert sock is not None


async def test_discovery_is_taken_back(tmp_path: Path, plain: Broker) -> None:
    found = []
    for wanted in (True, False):
        telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port, discovery=wanted)
        async with running(telemetry):
            await until(lambda telemetry=telemetry: telemetry.hears_broker)
        home = Listener(plain.port, "homeassistant/#")
        await asyncio.sleep(0.2)
        home.close()
        found.append(len(home.on("/config")))
    assert found == [1, 0]


async def test_a_late_last_will_is_contradicted(tmp_path: Path, plain: Broker) -> None:
    home = Listener(plain.port)
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port)
    async with running(telemetry):
        await until(lambda: home.on("kitchen/availability") == [b"online"])
        home.client.publish("appliance/kitchen/availability", "offline", 1, retain=True)
        await until(lambda: home.on("kitchen/availability")[-2:] == [b"offline", b"online"])
    home.close()


# -- brokers that must not be trusted, or do not trust us -----------------------------------------------------------------


async def trouble(tmp_path: Path, **mqtt: Any) -> str:
    """What keeps a device from its broker."""
    telemetry = make(tmp_path, Bus(), PlayedDevice(), **mqtt)
    async with running(telemetry):
        await until(lambda: telemetry.link.counters["failures"] >= 2)
        assert not telemetry.link.connected
    return str(telemetry.link.trouble)


async def test_wrong_authority(tmp_path: Path, login: dict[str, Any]) -> None:
    other = Authority(tmp_path, "other")
    assert "not signed by the authority" in await trouble(tmp_path, **{**login, "ca_file": other.cert})


async def test_wrong_password(tmp_path: Path, login: dict[str, Any]) -> None:
    (tmp_path / "password").write_text("wrong")
    assert "refuses this device: not authorized" in await trouble(tmp_path, **login)


async def test_wrong_name(tmp_path: Path, login: dict[str, Any]) -> None:
    assert "for another name" in await trouble(tmp_path, **{**login, "host": "127.0.0.1"})


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [("20200101000000Z", "20210101000000Z", "has expired"), ("20980101000000Z", "20990101000000Z", "not valid yet")],
)
async def test_certificate_out_of_its_time(
    tmp_path: Path, authority: Authority, start: str, end: str, sentence: str
) -> None:
    """The second is what a device whose clock was not set at boot sees."""
    cert = authority.issue("bad", start=start, end=end)
    config = secured(tmp_path / "broker", authority, PASSWORDS, cert)
    with broker(tmp_path / "broker", config) as made:
        assert sentence in await trouble(tmp_path, tls=True, ca_file=authority.cert, port=made.port)


async def test_a_broker_that_accepts_and_never_answers(tmp_path: Path) -> None:
    callers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: callers.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    said = await trouble(tmp_path, host="127.0.0.1", port=port, connect_timeout_s=1.0)
    assert said == "The broker does not answer."
    for writer in callers:
        writer.close()
    server.close()


async def test_a_frozen_broker_blocks_nothing_and_loses_nothing(tmp_path: Path, plain: Broker) -> None:
    home, bus = Listener(plain.port), Bus()
    telemetry = make(tmp_path, bus, PlayedDevice(), port=plain.port)
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        plain.freeze()
        for number in range(500):
            bus.publish(turn(number))
            if number % 50 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0.2)
        assert telemetry.delivery.delivered["turn"] == 0
        plain.thaw()
        await until(lambda: len(home.on("kitchen/turn")) == 500)
    home.close()


async def test_denied_topics_are_counted_and_stop_nothing(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any]
) -> None:
    """A device that logs in under another's name can write nothing of its own, and forge nothing."""
    home, bus = owner(secure, authority), Bus()
    (tmp_path / "password").write_text("two")
    telemetry = make(tmp_path, bus, PlayedDevice(), **login, username="hall")
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        for number in range(50):
            bus.publish(turn(number))
        await until(lambda: telemetry.link.counters["refused_publishes"] >= 50)
        assert len(telemetry.delivery.outbox) < 20, "what is refused is not tried for ever"
        await until(lambda: telemetry.health()["mqtt"]["hears_broker"] is False)  # "granted", it said
    home.close()
    assert [topic for topic, _, _ in home.heard if "kitchen" in topic] == []


# -- commands -------------------------------------------------------------------------------------------------------------


async def test_commands_are_done_and_answered(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any]
) -> None:
    home, played = owner(secure, authority), PlayedDevice()
    telemetry = make(tmp_path, Bus(), played, **login)
    asked = [
        ("say", '{"text":"Dinner","volume_percent":40,"request_id":"a"}', True),
        ("volume", '{"percent":30}', True), ("mute", "{}", True), ("timer_set", '{"seconds":60,"label":"egg"}', True),
        ("self_test", "", True), ("restart_engine", '{"engine":"stt"}', True),
        ("restart_engine", '{"engine":"../../bin/sh"}', False), ("led_brightness", '{"percent":10}', False),
        ("volume", '{"percent":101}', False), ("volume", '{"percent":"30"}', False),
        ("log_level", '{"level":"DEBUG"}', False),
        ("say", '{"text":"x","path":"/etc/passwd"}', False), ("shell", "{}", False), ("say", "not json", False),
        ("timer_set", '{"seconds":NaN}', False), ("say", "[" * 4000, False), ("say", '{"text":"%s"}' % ("x" * 9000), False),
    ]  # fmt: skip
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        for number, (name, payload, _) in enumerate(asked, 1):
            home.client.publish(f"appliance/kitchen/cmd/{name}", payload, 1)
            await until(lambda number=number: len(home.on("kitchen/reply")) == number)
    home.close()
    answers = [valid("reply", payload) for payload in home.on("kitchen/reply")]
    assert [(answer["command"], answer["ok"]) for answer in answers] == [(name, ok) for name, _, ok in asked]
    assert all(answer["error"]["message"] for answer in answers if not answer["ok"])
    assert answers[0]["request_id"] == "a"
    assert played.asked == [
        ("say", "Dinner", True, 40), ("volume", 30), ("mute", True), ("timer", 60, "egg"), ("restart", "stt"),
    ]  # fmt: skip


async def test_rubbish_on_command_topics(tmp_path: Path, plain: Broker) -> None:
    """Retained commands, ten megabytes, a thousand a second: the device lives on, and does only what it may."""
    home, played, bus = Listener(plain.port, "appliance/+/reply"), PlayedDevice(), Bus()
    home.client.publish("appliance/kitchen/cmd/say", '{"text":"again and again"}', 1, retain=True)
    telemetry = make(tmp_path, bus, played, port=plain.port)
    async with running(telemetry):
        await until(lambda: telemetry.commands.counters["retained"] == 1)
        home.client.publish("appliance/kitchen/cmd/say", b"x" * 10_000_000, 1)
        for _ in range(1000):
            home.client.publish("appliance/kitchen/cmd/stop", "{}", 0)
        done = lambda: telemetry.commands.counters["over_rate"] + telemetry.commands.counters["taken"] >= 1000  # noqa: E731
        await until(done)
        bus.publish(turn(1))
        await until(lambda: telemetry.delivery.delivered["turn"] == 1)
        assert telemetry.link.connected
    home.close()
    assert 1 <= len(played.asked) <= 40 and set(played.asked) == {("stop",)}
    assert len(home.heard) <= len(played.asked) + 3, "a flood is not answered with a flood"


async def test_response_topic_and_correlation(tmp_path: Path, plain: Broker) -> None:
    """MQTT 5: the answer goes to the response topic below `reply`, and nowhere else."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    heard: list[paho.MQTTMessage] = []
    asker = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    asker.on_message = lambda _, __, message: heard.append(message)
    asker.connect("127.0.0.1", plain.port)
    asker.subscribe("#", 1)
    asker.loop_start()
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port)
    async with running(telemetry):
        await until(lambda: telemetry.link.connected)
        for topic in ("appliance/kitchen/reply/me", "appliance/hall/cmd/say"):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ResponseTopic, properties.CorrelationData = topic, topic.encode()
            asker.publish("appliance/kitchen/cmd/stop", "{}", 1, properties=properties)
        answers = lambda: [m for m in heard if b'"command":"stop"' in m.payload]  # noqa: E731
        await until(lambda: len(answers()) == 2)
    asker.loop_stop()
    assert [message.topic for message in answers()] == ["appliance/kitchen/reply/me", "appliance/kitchen/reply"]
    assert answers()[0].properties.CorrelationData == b"appliance/kitchen/reply/me"  # type: ignore[union-attr]


# -- the home server ------------------------------------------------------------------------------------------------------


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
        await until(lambda: played.served[-1] is False)
    home.close()


# -- several devices ------------------------------------------------------------------------------------------------------


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
