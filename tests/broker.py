"""In: nothing. Out: a real Mosquitto on loopback, with hands: start, kill, own certificates, passwords, ACL."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.shared import ROOT

MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto here (Debian package mosquitto)")
ACL = ROOT / "docs" / "mosquitto" / "acl"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*command: str | Path) -> None:
    subprocess.run(
        [str(part) for part in command], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=30
    )


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits for a condition on another process. Fails when it does not come."""
    end_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)


class Authority:
    """A certificate authority of the test's own, made with openssl."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.cert, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)  # fmt: skip

    def issue(self, name: str, host: str = "localhost", start: str = "", end: str = "") -> tuple[Path, Path]:
        """A server's certificate and key. `start`, `end`: YYYYMMDDHHMMSSZ, for ones that are not valid now."""
        cert, key, csr = (self.folder / f"{name}.{kind}" for kind in ("crt", "key", "csr"))
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
            "-keyout", key, "-out", csr)  # fmt: skip
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text(os.urandom(8).hex())
        config = self.folder / f"{name}.cnf"
        config.write_text(
            f"[ca]\ndefault_ca=me\n[me]\ndatabase={self.folder}/index.txt\nserial={self.folder}/serial\n"
            f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
            f"[ext]\nsubjectAltName=DNS:{host}\n"
        )
        dates = ["-startdate", start or "20200101000000Z", "-enddate", end or "20991231000000Z"]
        run("openssl", "ca", "-batch", "-config", config, "-extensions", "ext", "-cert", self.cert, "-keyfile",
            self.key, "-in", csr, "-out", cert, "-notext", *dates)  # fmt: skip
        return cert, key


@dataclass
class Broker:
    """A Mosquitto with hands."""

    folder: Path
    config: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        file = self.folder / "mosquitto.conf"
        file.write_text(f"user root\nlistener {self.port} 127.0.0.1\n{self.config}")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [MOSQUITTO, "-v", "-c", file], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self._listens)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
            return True
        return False

    def kill(self) -> None:
        """As a power cut does it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(5)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def broker(folder: Path, config: str = "allow_anonymous true\n") -> Iterator[Broker]:
    folder.mkdir(parents=True, exist_ok=True)
    made = Broker(folder, config)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def secured(folder: Path, authority: Authority, names: dict[str, str], cert: tuple[Path, Path] | None = None) -> str:
    """Configuration with TLS, a password file and the ACL that the documentation gives; persistent."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    for name, password in names.items():
        run("mosquitto_passwd", "-b", passwords, name, password)
    made_cert, made_key = cert or authority.issue("server")
    return (
        f"allow_anonymous false\npassword_file {passwords}\nacl_file {ACL}\ncafile {authority.cert}\n"
        f"certfile {made_cert}\nkeyfile {made_key}\npersistence true\npersistence_location {folder}/\n"
        "autosave_interval 1\nmax_queued_messages 20000\n"
    )


class Listener:
    """A plain paho client that remembers everything it hears."""

    def __init__(self, port: int, topics: str = "#", **login: Any) -> None:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.heard: list[tuple[str, bytes, bool]] = []
        self._topics = topics
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, f"listener-{os.urandom(4).hex()}", protocol=paho.MQTTv311, clean_session=False
        )
        if "ca" in login:
            files = {"certfile": login["cert"], "keyfile": login["key"]} if "cert" in login else {}
            self.client.tls_set(str(login["ca"]), **{name: str(file) for name, file in files.items()})
            if "user" in login:
                self.client.username_pw_set(login["user"], login["password"])
        self._subscribed = False
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(self._topics, 1)
        self.client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)
        self.client.on_message = lambda _, __, message: self.heard.append(
            (message.topic, message.payload, message.retain)
        )
        self.client.connect("localhost", port, 5)
        self.client.loop_start()
        until(lambda: self._subscribed)

    def on(self, end: str) -> list[bytes]:
        """Payloads whose topic ends so, in order."""
        return [payload for topic, payload, _ in list(self.heard) if topic.endswith(end)]

    def last(self, end: str) -> bytes | None:
        """Newest payload whose topic ends so; None before the first."""
        return next(iter(self.on(end)[::-1]), None)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
