"""Budgets and the way to the home server."""

from __future__ import annotations

from pydantic import Field

from appliance.settings.base import Section


class MqttSettings(Section):
    host: str | None = Field(None, description="Name or address of the broker; without one, nothing is sent.")
    port: int = Field(8883, ge=1, le=65535, description="Port of the broker.")
    tls: bool = Field(True, description="Encrypt and check the broker's certificate.")


class TelemetrySettings(Section):
    mqtt: MqttSettings = Field(default_factory=MqttSettings, description="The broker.")
    metrics_interval_s: float = Field(10.0, ge=0.5, le=3600.0, description="Time between metrics messages, seconds.")
