"""In: the broker as the role home_server sets it up, the authority's certificates. Out: each device is itself, or is out."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.ansible_templates import ROLES, defaults, read, render
from tests.broker import Broker, broker, free_port, needs_mosquitto, until

pytestmark = needs_mosquitto
PROGRAM = ROLES / "authority" / "files" / "authority"


@dataclass
class Site:
    """An authority, a broker, devices."""

    folder: Path
    local_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    devices: tuple[str, ...] = ("kitchen", "bath")
    broker: Broker | None = None

    def authority(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run([str(PROGRAM), *words], input=stdin, capture_output=True, text=True, timeout=60, check=False,
                              env=os.environ | {"AUTHORITY_DIR": str(self.folder)})  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def certify(self, name: str, kind: str = "client", days: int = 60) -> None:
        """The key is made once; a certificate may be made again."""
        key = self.folder / f"{name}.key"
        if not key.exists():
            make = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(key)]
            subprocess.run(make, check=True, capture_output=True, timeout=30)
        ask = ["openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={name}"]
        request = subprocess.run(ask, check=True, capture_output=True, text=True, timeout=30).stdout
        signed = self.authority("sign", kind, name, "DNS:localhost", str(days), stdin=request)
        (self.folder / f"{name}.pem").write_text(signed)

    def write_lists(self) -> None:
        revoked = type("Said", (), {"stdout_lines": self.authority("revoked").split()})
        given: dict[str, Any] = {"home_server__devices": list(self.devices), "home_server_revoked": revoked}
        (self.folder / "acl").write_text(render("home_server", "acl.j2", **given))

    def settings(self) -> str:
        given: dict[str, Any] = {
            "home_server__broker_port": self.port,
            "home_server__broker_local_port": self.local_port,
        }
        text = render("home_server", "mosquitto.conf.j2", **given)
        names = {"ca.pem": "bundle.pem", "server.pem": "home.pem", "server.key": "home.key"}
        return re.sub(
            r"/etc/mosquitto/appliance/(\S+)", lambda found: str(self.folder / names.get(found[1], found[1])), text
        )

    def tell(self) -> None:
        """Reads its lists again."""
        assert self.broker is not None and self.broker.process is not None
        self.broker.process.send_signal(signal.SIGHUP)

    def revoke(self, name: str) -> None:
        """What revoke.yml does, by the role's own commands."""
        self.authority("revoke", name)
        self.write_lists()
        self.tell()
        [cut, *_] = read(ROLES / "home_server" / "tasks" / "cut.yml")
        command = cut["ansible.builtin.shell"]["cmd"].replace("/etc/mosquitto/appliance", str(self.folder))
        command = command.replace("{{ home_server__broker_local_port }}", str(self.local_port))
        subprocess.run(["sh", "-c", command.replace("{{ home_server_device }}", name)], check=True, timeout=20)


class Client:
    """A device at the broker, as a stranger could write one: it says any client id that it likes."""

    def __init__(self, site: Site, certificate: str, client_id: str) -> None:
        self.connected, self.refused = threading.Event(), threading.Event()
        self.losses = 0
        self.heard: list[str] = []
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        folder = site.folder
        self.paho.tls_set(
            str(folder / "bundle.pem"), str(folder / f"{certificate}.pem"), str(folder / f"{certificate}.key")
        )
        self.paho.on_connect = lambda client, data, flags, reason, properties: self._answered(reason.is_failure)
        self.paho.on_disconnect = lambda *_: self._lost()
        self.paho.on_message = lambda client, data, message: self.heard.append(message.topic)
        self.paho.reconnect_delay_set(1, 1)
        self.port = site.port

    def _answered(self, failed: bool) -> None:
        (self.refused if failed else self.connected).set()

    def _lost(self) -> None:
        self.losses += 1
        self.connected.clear()

    def call(self) -> Client:
        self.paho.connect_async("localhost", self.port, 20)
        self.paho.loop_start()
        return self

    def hang_up(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.authority("init")
    made.certify("home", "server")
    for name in (*made.devices, "cellar"):
        made.certify(name)
    made.write_lists()
    for user in ("hub", "keeper"):
        (made.folder / user).write_text(f"secret of {user}\n")
    (made.folder / "users").write_text("hub:secret of hub\nkeeper:secret of keeper\n")
    subprocess.run(["mosquitto_passwd", "-U", str(made.folder / "users")], check=True, capture_output=True, timeout=30)
    with broker(made.folder / "broker", made.settings()) as running:
        made.broker = running
        yield made


def test_the_settings_are_what_a_fleet_needs(site: Site) -> None:
    text = site.settings()
    assert 1000 < defaults("home_server")["home_server__broker_queued_messages"] < 10_000_000
    for line in ("use_identity_as_username true", "use_username_as_clientid true", "require_certificate true"):
        assert f"\n{line}\n" in text
    assert "\nallow_anonymous false\n" in text and "127.0.0.1" in text.split("listener")[-1]


def test_a_device_cannot_throw_out_another(site: Site) -> None:
    bath = Client(site, "bath", "bath").call()
    assert bath.connected.wait(20)
    thief = Client(site, "kitchen", "bath").call()
    assert thief.connected.wait(20), "it is let in, as what it is"
    time.sleep(1.0)
    assert bath.losses == 0, "the certificate counts, not the client id"
    thief.hang_up()
    bath.hang_up()


def test_what_is_lost_is_out_and_nobody_else_notices(site: Site) -> None:
    bath, kitchen = Client(site, "bath", "bath").call(), Client(site, "kitchen", "kitchen").call()
    assert bath.connected.wait(20) and kitchen.connected.wait(20)
    site.revoke("bath")
    until(lambda: bath.losses > 0, 10)  # counted from the last command: how long openssl takes is the machine's affair
    time.sleep(3.0)  # it tries again every second
    assert not bath.connected.is_set(), "its certificate opens nothing any more"
    assert kitchen.losses == 0 and kitchen.connected.is_set()
    bath.hang_up()
    kitchen.hang_up()


def test_a_revoked_name_gets_no_certificate_until_it_is_admitted(site: Site) -> None:
    site.authority("revoke", "attic")
    with pytest.raises(AssertionError, match="attic is revoked"):
        site.certify("attic")
    site.authority("admit", "attic")
    site.certify("attic")


def test_a_renewed_certificate_opens_and_touches_nobody(site: Site) -> None:
    cellar = Client(site, "cellar", "cellar").call()
    assert cellar.connected.wait(20)
    site.certify("kitchen")
    kitchen = Client(site, "kitchen", "kitchen").call()
    assert kitchen.connected.wait(20) and cellar.losses == 0
    kitchen.hang_up()
    cellar.hang_up()


def test_who_stands_in_no_list_says_and_hears_nothing(site: Site) -> None:
    """A certificate alone opens the door and no more: `cellar` is not in the inventory."""
    kitchen, cellar = Client(site, "kitchen", "kitchen").call(), Client(site, "cellar", "cellar").call()
    assert kitchen.connected.wait(20) and cellar.connected.wait(20)
    cellar.paho.subscribe("appliance/#")
    kitchen.paho.subscribe("appliance/kitchen/#")
    cellar.paho.publish("appliance/kitchen/cmd/say", "{}", 1)
    kitchen.paho.publish("appliance/kitchen/state", "{}", 1)
    until(lambda: "appliance/kitchen/state" in kitchen.heard)
    time.sleep(0.5)
    assert kitchen.heard == ["appliance/kitchen/state"] and cellar.heard == []
    kitchen.hang_up()
    cellar.hang_up()


def test_certificates_live_90_days_at_most_and_names_are_names(site: Site) -> None:
    with pytest.raises(AssertionError, match="1 to 90 days"):
        site.certify("kitchen", days=91)
    with pytest.raises(AssertionError, match="is no name"):
        site.authority("revoke", "../ca")


def test_both_authorities_are_trusted_while_one_follows_the_other(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.authority("init")
    site.certify("kitchen")
    old = site.folder / "old.pem"
    old.write_bytes((site.folder / "kitchen.pem").read_bytes())

    def trusted(certificate: Path) -> bool:
        words = ["openssl", "verify", "-crl_check", "-CAfile", "bundle.pem", "-CRLfile", "crl.pem", str(certificate)]
        return subprocess.run(words, cwd=site.folder, capture_output=True, timeout=30, check=False).returncode == 0

    site.authority("rotate", "begin")
    assert trusted(old)
    site.authority("rotate", "switch")
    site.certify("kitchen")
    assert trusted(old) and trusted(site.folder / "kitchen.pem")
    site.authority("revoke", "kitchen")
    assert not trusted(old) and not trusted(site.folder / "kitchen.pem"), "both of its certificates are void"
    site.authority("admit", "kitchen")
    site.certify("kitchen")
    site.authority("rotate", "finish")
    assert trusted(site.folder / "kitchen.pem")
    assert len(ssl.create_default_context(cafile=str(site.folder / "bundle.pem")).get_ca_certs()) == 1
