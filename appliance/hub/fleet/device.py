"""In: checked messages of one device. Out: its state in memory; everything that is told of it is read from here."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.hub.fleet.clock import Skew
from appliance.hub.fleet.flood import Flood
from appliance.hub.fleet.numbering import Numbering
from appliance.hub.fleet.view import Dot
from appliance.hub.reception.messages import AlertBody, Info, MetricsBody, StateBody

SPARK_TURNS = 50
FAILED, NO_ANSWER = -1.0, math.nan


@dataclass(slots=True)
class HeldAlert:
    """An alert that the device holds, and since when by the hub's clock."""

    body: AlertBody
    since_s: float


@dataclass(slots=True)
class Device:
    """Small on purpose: ten thousand of these live at once. For the event loop only."""

    id: str
    first_s: float
    """When the hub first heard its name, Unix time."""
    number: int = 0
    available: bool | None = None
    """What availability says."""
    gone_s: float | None = None
    """Since when availability says offline."""
    info: Info | None = None
    state: StateBody | None = None
    deaf_s: float | None = None
    """Since when it says that it is deaf."""
    metrics: MetricsBody | None = None
    alerts: dict[str, HeldAlert] = field(default_factory=dict)
    engines_s: dict[str, float] = field(default_factory=dict)
    """Since when an engine does not answer."""
    heard_s: float | None = None
    """Unix time of the last message that was not retained."""
    heard_monotonic_s: float | None = None
    silent_s: float | None = None
    """Found silent; since the last message."""
    interval_s: float = 10.0
    skew: Skew = field(default_factory=Skew)
    numbering: Numbering = field(default_factory=Numbering)
    flood: Flood = field(default_factory=Flood)
    dropped: int = 0
    received: int = 0
    refused: int = 0
    refusal: str | None = None
    """Why the last damaged message was set aside."""
    refusal_s: float = 0.0
    schema_s: float | None = None
    """Since when it speaks a version that the hub does not know."""
    schema: int | None = None
    today: int = 0
    """Turns of `day`."""
    day: int = 0
    """Local day number."""
    spark: array[float] = field(default_factory=lambda: array("f"))

    def turn(self, response_ms: float | None, failed: bool, day: int) -> None:
        """One more dot of the sparkline."""
        self.spark.append(FAILED if failed else NO_ANSWER if response_ms is None else response_ms)
        if len(self.spark) > SPARK_TURNS:
            del self.spark[0]
        if day != self.day:
            self.day, self.today = day, 0
        self.today += 1

    def dots(self) -> Iterator[Dot]:
        for value in self.spark:
            yield Dot(None if value != value or value < 0 else round(value, 1), value == FAILED)
