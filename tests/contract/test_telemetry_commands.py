"""In: commands, good and bad, through a real Mosquitto. Out: done and answered, or refused with a reason; never a flood."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.events import Bus
from appliance.telemetry.commands.schema import COMMANDS
from tests.broker import Authority, Broker, Listener, needs_mosquitto
from tests.telemetry import PlayedDevice, make, owner, running, turn, until, valid

pytestmark = needs_mosquitto


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


REFUSED = [
    ("say", '{"text":""}', "text: string should have at least 1 character."),
    ("say", '{"text":"x","volume_percent":101}', "volume_percent: input should be less than or equal to 100."),
    ("say", '{"text":"x","file":"/etc/passwd"}', "file: extra inputs are not permitted."),
    ("say", '{"text":["rm","-rf"]}', "text: input should be a valid string."),
    ("listen", '{"seconds":3}', "seconds: extra inputs are not permitted."),
    ("stop", "[]", "payload: input should be a valid dictionary"),
    ("mute", '{"muted":"yes"}', "muted: input should be a valid boolean."),
    ("unmute", '{"muted":true}', "muted: extra inputs are not permitted."),
    ("volume", '{"percent":-1}', "percent: input should be greater than or equal to 0."),
    ("volume", "{}", "percent: field required."),
    ("led_brightness", '{"percent":1e3}', "percent: input should be a valid integer."),
    ("timer_set", '{"seconds":0}', "seconds: input should be greater than 0."),
    ("timer_set", '{"seconds":NaN}', "seconds: input should be"),
    ("timer_cancel", '{"timer":"../t1"}', "timer: string should match pattern"),
    ("self_test", "null", "payload: input should be a valid dictionary"),
    ("restart_engine", '{"engine":"$(reboot)"}', "engine: input should be 'sound', 'stt' or 'tts'."),
    ("refresh_home", '{"url":"x"}', "url: extra inputs are not permitted."),
    ("log_level", '{"level":"DEBUG"}', "level: input should be 'INFO', 'WARNING' or 'ERROR'."),
    ("shell", '{"command":"id"}', "There is no such command."),
    ("say", "not json", "A command is a JSON object."),
    ("say", "[" * 5000, "A command is a JSON object."),
    ("say", '{"text":"%s"}' % ("x" * 9000), "A command has 8192 bytes at the most."),
]


async def test_refused_commands_say_why(tmp_path: Path, plain: Broker) -> None:
    """A wrong form of every command: nothing is done, the answer is one sentence, and names whoever asked."""
    home, played = Listener(plain.port), PlayedDevice()
    telemetry = make(tmp_path, Bus(), played, port=plain.port, commands_per_second=100.0)
    async with running(telemetry):
        await until(lambda: telemetry.hears_broker)
        for name, payload, _ in REFUSED:
            home.client.publish(f"appliance/kitchen/cmd/{name}", payload, 1)
        home.client.publish("appliance/kitchen/cmd/volume", '{"percent":500,"request_id":"me"}', 1)
        await until(lambda: len(home.on("kitchen/reply")) == len(REFUSED) + 1)
    home.close()
    answers = [valid("reply", payload) for payload in home.on("kitchen/reply")]
    for (name, _, why), answer in zip(REFUSED, answers, strict=False):
        assert (answer["command"], answer["ok"]) == (name, False)
        assert answer["error"]["message"].startswith(why)
    assert answers[-1]["request_id"] == "me"
    assert {name for name, _, _ in REFUSED} >= set(COMMANDS) and played.asked == []


async def test_commands_of_others_do_not_reach_it(
    tmp_path: Path, secure: Broker, authority: Authority, login: dict[str, Any]
) -> None:
    """A device that was taken over commands no other one: the broker's ACL keeps it."""
    played = PlayedDevice()
    telemetry = make(tmp_path, Bus(), played, **login)
    async with running(telemetry):
        await until(lambda: telemetry.hears_broker)
        hall = Listener(secure.port, ca=authority.cert, user="hall", password="two")
        hall.client.publish("appliance/kitchen/cmd/say", '{"text":"boo"}', 1).wait_for_publish(5)
        hall.client.publish("appliance/hall/turn", "mine", 1).wait_for_publish(5)
        hall.close()
        await asyncio.sleep(0.3)
        assert telemetry.commands.counters["taken"] == 0 and played.asked == []


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_rubbish_on_command_topics(tmp_path: Path, plain: Broker, version: str) -> None:
    """Retained commands, ten megabytes, a thousand a second: the device lives on, and does only what it may."""
    home, played, bus = Listener(plain.port, "appliance/+/reply"), PlayedDevice(), Bus()
    home.client.publish("appliance/kitchen/cmd/say", '{"text":"again and again"}', 1, retain=True)
    telemetry = make(tmp_path, bus, played, port=plain.port, version=version)
    async with running(telemetry):
        await until(lambda: telemetry.commands.counters["retained"] == 1)
        home.client.publish("appliance/kitchen/cmd/say", b"x" * 10_000_000, 1)
        for _ in range(1000):
            home.client.publish("appliance/kitchen/cmd/stop", "{}", 0)
        done = lambda: telemetry.commands.counters["over_rate"] + telemetry.commands.counters["taken"] >= 1000  # noqa: E731
        await until(done)
        bus.publish(turn(1))
        await until(lambda: telemetry.delivery.delivered["turn"] == 1)
        assert telemetry.link.connected and telemetry.link.counters["connects"] == 1
        # MQTT 5's broker was told the largest packet and keeps it back; of 3.1.1 it comes, and is thrown away
        assert telemetry.link.counters["too_large"] == (1 if version == "3.1.1" else 0)
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
