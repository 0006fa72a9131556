"""Budgets and the way to the home server."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from appliance.settings.base import Section

TOPIC = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"


class MqttSettings(Section):
    host: str | None = Field(None, description="Name or address of the broker; without one, nothing is sent.")
    port: int = Field(8883, ge=1, le=65535, description="Port of the broker.")
    version: Literal["5", "3.1.1"] = Field("5", description="MQTT version; 3.1.1 for brokers that want it.")
    tls: bool = Field(True, description="Encrypt and check the broker's certificate and name.")
    ca_file: Path | None = Field(
        None, description="Certificate authority (PEM) of the broker; without one the system's."
    )
    cert_file: Path | None = Field(None, description="This device's certificate (PEM), where the broker wants one.")
    key_file: Path | None = Field(
        None, description="Key of that certificate (PEM); without one, systemd's credential 'mqtt-key'."
    )
    username: str | None = Field(
        None, description="User at the broker; without one, the device's id if a password is set."
    )
    password_file: Path | None = Field(
        None, description="File with the password; without one, systemd's credential 'mqtt-password' if there is one."
    )
    prefix: str = Field("appliance", pattern=TOPIC, max_length=64, description="First part of every topic.")
    discovery_prefix: str = Field("homeassistant", pattern=TOPIC, max_length=64, description="Home Assistant's topic.")
    discovery: bool = Field(True, description="Announce the device to Home Assistant.")
    keepalive_s: int = Field(20, ge=5, le=600, description="A broker silent for this long is pinged, seconds.")
    connect_timeout_s: float = Field(
        10.0, ge=1.0, le=60.0, description="From dialling to the broker's welcome, seconds."
    )
    backoff_first_s: float = Field(
        1.0, ge=0.05, le=30.0, description="Upper end of the first reconnect's wait, seconds."
    )
    backoff_most_s: float = Field(60.0, ge=1.0, le=600.0, description="Upper end of every reconnect's wait, seconds.")
    kept_messages: int = Field(5000, ge=100, le=100_000, description="Messages kept while the broker is away.")
    kept_kb: int = Field(4000, ge=64, le=100_000, description="Their size altogether, kilobytes.")
    commands_per_second: float = Field(5.0, ge=0.5, le=100.0, description="Commands taken, on average over 4 s.")
    home_deadline_s: float = Field(
        1.5, ge=0.2, le=9.0, description="Longest wait for the home server's reply, seconds."
    )
    arbitrate: bool = Field(True, description="Let only the device that hears best answer a wake word.")

    @model_validator(mode="after")
    def _whole(self) -> MqttSettings:
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("certificates are of no use with tls = false")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file")
        return self


class HealthSettings(Section):
    enabled: bool = Field(True, description="Serve /health (JSON) and /metrics (Prometheus) over HTTP.")
    address: str = Field("127.0.0.1", description="Address to serve on; 0.0.0.0 opens it to the network.")
    port: int = Field(8724, ge=1, le=65535, description="Port to serve on.")


class TelemetrySettings(Section):
    mqtt: MqttSettings = Field(default_factory=MqttSettings, description="The broker.")
    health: HealthSettings = Field(default_factory=HealthSettings, description="The local health endpoint.")
    metrics_interval_s: float = Field(10.0, ge=0.5, le=3600.0, description="Time between metrics messages, seconds.")
    memory_interval_s: float = Field(
        60.0, ge=1.0, le=3600.0, description="Time between measurements of memory (PSS), which cost more, seconds."
    )
    window_turns: int = Field(100, ge=10, le=1000, description="Turns that p50, p95 and p99 are taken over.")
    transcripts: bool = Field(False, description="Send what was said and answered with each turn's record.")
