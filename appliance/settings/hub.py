"""The home server's side: where the hub listens, which broker it reads, what is served."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from appliance.settings.base import Section
from appliance.settings.telemetry import TOPIC


class HubSettings(Section):
    listen: str = Field("127.0.0.1:8725", description="HOST:PORT of the page, on this machine.")
    mqtt: str = Field("mqtt://127.0.0.1:1883", description="The broker: mqtt://USER@HOST:PORT, or mqtts:// with TLS.")
    mqtt_password_file: Path | None = Field(
        None, description="File with the broker's password; without one, systemd's credential 'mqtt-password'."
    )
    mqtt_ca_file: Path | None = Field(None, description="Certificate authority (PEM) of the broker.")
    prefix: str = Field("appliance", pattern=TOPIC, max_length=64, description="First part of every topic.")
    share: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,32}$",
        description="Name of the group of hubs that share the streams; without one, this hub hears everything.",
    )  # fmt: skip
    data_dir: Path = Field(Path("/var/lib/appliance-hub"), description="Folder of what the hub keeps.")
    history_mb: int = Field(
        20_000, ge=50, le=10_000_000,
        description="Megabytes that the history may take; beyond, the finest values are kept for a shorter time.",
    )  # fmt: skip
    tls_cert_file: Path | None = Field(None, description="Certificate (PEM) to serve HTTPS by itself.")
    tls_key_file: Path | None = Field(None, description="Key of that certificate (PEM).")

    @model_validator(mode="after")
    def _whole(self) -> HubSettings:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_cert_file and tls_key_file belong together")
        self.address()
        return self

    def address(self) -> tuple[str, int]:
        """Host and port to listen on; an IPv6 address stands in brackets."""
        host, colon, port = self.listen.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"listen takes HOST:PORT, not '{self.listen}'")
        return host.strip("[]"), int(port)
