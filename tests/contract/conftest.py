"""Fixtures: brokers with hands, for every test that needs a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Authority, Broker, broker, secured
from tests.telemetry import PASSWORDS


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
