"""The supervisor: when a child counts as hung, how it is restarted."""

from __future__ import annotations

from pydantic import Field

from appliance.settings.base import Section


class SupervisorSettings(Section):
    heartbeat_s: float = Field(0.3, ge=0.1, le=5.0, description="Time between heartbeats to a child, seconds.")
    hung_s: float = Field(
        1.2,
        ge=0.3,
        le=20.0,
        description="A child silent for this long while it had a CPU hangs, seconds.",
    )
    start_s: float = Field(20.0, ge=1.0, le=120.0, description="A child that is not ready by then is killed, seconds.")
    backoff_first_s: float = Field(0.1, ge=0.01, le=5.0, description="Upper end of the first restart's wait, seconds.")
    backoff_most_s: float = Field(30.0, ge=1.0, le=600.0, description="Upper end of every restart's wait, seconds.")
    breaker_restarts: int = Field(6, ge=2, le=50, description="Restarts within the window that open the breaker.")
    breaker_window_s: float = Field(60.0, ge=5.0, le=3600.0, description="Window of the breaker, seconds.")
    breaker_open_s: float = Field(60.0, ge=1.0, le=3600.0, description="How long an open breaker waits, seconds.")
