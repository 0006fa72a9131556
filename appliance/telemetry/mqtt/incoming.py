"""In: paho's message. Out: what of it is passed on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

import paho.mqtt.client as paho


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the broker."""

    topic: str
    payload: bytes
    retain: bool
    at_s: float
    """Monotonic time of its arrival."""
    response_topic: str | None = None
    correlation: bytes | None = None

    @classmethod
    def now(cls, message: paho.MQTTMessage) -> Self:
        """`message`, which arrives at this moment."""
        more = message.properties
        return cls(
            topic=message.topic,
            payload=bytes(message.payload),
            retain=message.retain,
            at_s=time.monotonic(),
            response_topic=getattr(more, "ResponseTopic", None),
            correlation=getattr(more, "CorrelationData", None),
        )
