"""In: brokers that must not be trusted, or do not trust us. Out: a sentence that says why, and another try."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.events import Bus
from appliance.settings.telemetry import MqttSettings
from appliance.telemetry.mqtt.probe import probe
from tests.broker import Authority, Broker, Listener, broker, needs_mosquitto, secured
from tests.telemetry import PASSWORDS, PlayedDevice, make, owner, running, turn, until, valid

pytestmark = needs_mosquitto


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


async def test_a_clock_that_is_set_late_is_waited_for(tmp_path: Path, authority: Authority) -> None:
    """The certificate becomes valid while the device tries: as when the time comes from the network after the boot."""
    begins = datetime.now(UTC) + timedelta(seconds=4)
    cert = authority.issue("soon", start=begins.strftime("%Y%m%d%H%M%SZ"))
    config = secured(tmp_path / "broker", authority, PASSWORDS, cert)
    (tmp_path / "password").write_text("one\n")
    with broker(tmp_path / "broker", config) as made:
        telemetry = make(tmp_path, Bus(), PlayedDevice(), tls=True, ca_file=authority.cert, port=made.port,
                         password_file=tmp_path / "password")  # fmt: skip
        async with running(telemetry):
            await until(lambda: telemetry.link.counters["failures"] >= 2)
            said = telemetry.health()["mqtt"]
            assert not said["connected"] and "not valid yet by this device's clock" in said["trouble"]
            await until(lambda: telemetry.link.connected, 15.0)
            assert telemetry.health()["mqtt"]["trouble"] is None


async def test_a_broker_that_comes_later_is_found(tmp_path: Path, plain: Broker) -> None:
    plain.kill()
    telemetry = make(tmp_path, Bus(), PlayedDevice(), port=plain.port)
    async with running(telemetry):
        await until(lambda: telemetry.link.trouble == "Nothing listens at the broker's address.")
        await asyncio.to_thread(plain.start)
        await until(lambda: telemetry.link.connected)


# -- certificates of devices ----------------------------------------------------------------------------------------------


@pytest.fixture
def mutual(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    """A broker that knows its devices by their certificates alone: the common name is the user."""
    config = secured(tmp_path / "broker", authority, {})
    config += "require_certificate true\nuse_identity_as_username true\n"
    with broker(tmp_path / "broker", config) as made:
        yield made


def identity(authority: Authority, name: str, **times: str) -> dict[str, Any]:
    """Settings of a device with a certificate on `name`."""
    cert, key = authority.issue(f"client-{name}", host=name, **times)
    return {"tls": True, "ca_file": authority.cert, "cert_file": cert, "key_file": key}


def watcher(mutual: Broker, authority: Authority) -> Listener:
    cert, key = authority.issue("client-home", host="homeassistant")
    return Listener(mutual.port, ca=authority.cert, cert=cert, key=key)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_certificate_is_who_the_device_is(
    tmp_path: Path, authority: Authority, mutual: Broker, version: str
) -> None:
    home, bus = watcher(mutual, authority), Bus()
    login = identity(authority, "kitchen")
    telemetry = make(tmp_path, bus, PlayedDevice(), port=mutual.port, version=version, **login)
    async with running(telemetry):
        bus.publish(turn(1))
        await until(lambda: home.on("kitchen/turn") and telemetry.hears_broker)
        home.client.publish("appliance/kitchen/cmd/stop", "{}", 1)
        await until(lambda: home.on("kitchen/reply"))
    home.close()
    assert valid("reply", home.on("kitchen/reply")[0])["ok"]


async def test_the_certificate_of_another_device_opens_nothing_here(
    tmp_path: Path, authority: Authority, mutual: Broker
) -> None:
    home, bus = watcher(mutual, authority), Bus()
    telemetry = make(tmp_path, bus, PlayedDevice(), port=mutual.port, **identity(authority, "hall"))
    async with running(telemetry):
        bus.publish(turn(1))
        await until(lambda: telemetry.link.counters["refused_publishes"] >= 2 and telemetry.hears_broker is False)
    home.close()
    assert not [topic for topic, _, _ in home.heard if "kitchen" in topic]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_an_expired_certificate_of_the_device(
    tmp_path: Path, authority: Authority, mutual: Broker, version: str
) -> None:
    login = identity(authority, "kitchen", start="20200101000000Z", end="20210101000000Z")
    assert "this device's certificate (telemetry.mqtt.cert_file) has expired" in await trouble(
        tmp_path, port=mutual.port, version=version, **login
    )


async def test_no_certificate_where_one_is_wanted(tmp_path: Path, authority: Authority, mutual: Broker) -> None:
    said = await trouble(tmp_path, port=mutual.port, tls=True, ca_file=authority.cert)
    assert "wants a certificate of this device" in said


async def test_a_certificate_by_a_stranger(tmp_path: Path, authority: Authority, mutual: Broker) -> None:
    (tmp_path / "else").mkdir()
    stranger = identity(Authority(tmp_path / "else", "stranger"), "kitchen")
    said = await trouble(tmp_path, port=mutual.port, **{**stranger, "ca_file": authority.cert})
    assert "does not know the authority that signed this device's certificate" in said


async def test_a_certificate_without_its_key(tmp_path: Path, authority: Authority, mutual: Broker) -> None:
    login = identity(authority, "kitchen")
    said = await trouble(tmp_path, port=mutual.port, **{**login, "key_file": authority.key})
    assert "cert_file" in said and "cannot be used" in said


# -- doctor ---------------------------------------------------------------------------------------------------------------


async def test_the_doctor_says_what_the_broker_says(tmp_path: Path, login: dict[str, Any]) -> None:
    async def said(**more: Any) -> str | None:
        return await probe(MqttSettings.model_validate({"host": "localhost", **login, **more}), "kitchen", 5.0)

    assert await said() is None
    assert "for another name" in str(await said(host="127.0.0.1"))
    (tmp_path / "password").write_text("wrong")
    assert "not authorized" in str(await said())
    assert "Nothing listens" in str(await said(port=1))
