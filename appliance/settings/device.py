"""The device itself: who it is, where it keeps things."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field

from appliance.settings.base import Section


def _state_dir() -> Path:
    if systemd := os.environ.get("STATE_DIRECTORY"):
        return Path(systemd.split(":")[0])
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(base) / "appliance"


def _runtime_dir() -> Path:
    if systemd := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(systemd.split(":")[0])
    if xdg := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(xdg) / "appliance"
    return Path(f"/tmp/appliance-{os.getuid()}")


class DeviceSettings(Section):
    id: str = Field(
        default_factory=lambda: socket.gethostname().split(".")[0],
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Name of this device on MQTT and on dashboards; letters, digits, hyphen, underscore.",
    )
    name: str = Field("Voice appliance", min_length=1, max_length=64, description="Name for people.")
    area: str | None = Field(None, max_length=64, description="Room this device stands in.")
    language: str = Field("en", pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", description="Language spoken with it (BCP 47).")
    state_dir: Path = Field(
        default_factory=_state_dir, description="What survives a restart: models, timers, phrase cache."
    )
    runtime_dir: Path = Field(
        default_factory=_runtime_dir, description="Private directory (0700) of sockets; gone after a reboot."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that is logged; transcripts appear at DEBUG only."
    )
