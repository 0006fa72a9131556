"""In: a device as the hub knows it. Out: what people are shown of it: frozen, typed, with its troubles in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance.telemetry.metrics.budget import Severity, Verdict


class Condition(StrEnum):
    """How a device is, in one word; listed from the worst."""

    SILENT = "silent"
    """It says nothing any more: the hub's own finding."""
    OFFLINE = "offline"
    """It said goodbye, or the broker's will did."""
    SICK = "sick"
    """It talks and something is broken."""
    UNKNOWN = "unknown"
    """Only retained facts of it are known; it has said nothing since the hub began."""
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A command that may help: the button beside a trouble."""

    label: str
    command: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong with a device."""

    kind: str
    """silent, offline, deaf, engine, alert, flood, duplicate, clock, schema, gap."""
    severity: Severity
    sentence: str
    """Plain words, without a time: `since_s` is shown beside it."""
    since_s: float
    """Unix time by the hub's clock."""
    advice: str = ""
    """What a person can do."""
    remedy: Remedy | None = None
    budget: str | None = None
    """Name of the broken budget, of an alert."""


@dataclass(frozen=True, slots=True)
class Light:
    """One judged measure. Met ones are a dot; the others get their name."""

    name: str
    verdict: Verdict
    value: float
    unit: str
    target: float


@dataclass(frozen=True, slots=True)
class Dot:
    """One turn of the sparkline."""

    response_ms: float | None
    """None where there was no answer."""
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """A device's card. Times are Unix seconds by the hub's clock; None is "not known", never 0."""

    id: str
    number: int
    """Of the change that this view shows."""
    name: str
    area: str | None
    board: str | None
    """The computer's model, as the device tells it."""
    version: str | None
    language: str | None
    wake_words: tuple[str, ...]
    condition: Condition
    state: str | None
    """What its LEDs show: a value of appliance.events.State."""
    hearing: str | None
    deaf_reason: str | None
    muted: bool | None
    volume_percent: int | None
    heard_s: float | None
    """Last message that was not retained; None when there was none yet."""
    silent_since_s: float | None
    interval_s: float
    """Of its metrics."""
    skew_s: float | None
    """Its clock minus the hub's, where they differ by more than 5 s."""
    response_ms: float | None
    """Median over the device's own window of turns."""
    response_p95_ms: float | None
    spark: tuple[Dot, ...]
    """The last 50 turns, the oldest first."""
    turns_today: int
    turns_total: int | None
    """Since the device's start."""
    cpu_ratio: float | None
    memory_mb: float | None
    temperature_c: float | None
    wifi_dbm: float | None
    lights: tuple[Light, ...]
    troubles: tuple[Trouble, ...]
    """The gravest first."""
    received: int
    """Messages since the hub began."""
    gaps: int
    """Numbered messages that never came."""
    refused: int
    """Messages set aside as damaged."""
    dropped: int
    """Messages thrown away because the device flooded."""

    @property
    def rank(self) -> tuple[int, int, float, str]:
        """Sorts the worst first; among equals the one that is broken for longest."""
        order = list(Condition)
        if not self.troubles:
            return (len(Severity), order.index(self.condition), 0.0, self.id)
        first = self.troubles[0]
        return (int(first.severity.value[1:]), order.index(self.condition), first.since_s, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The strip over the cards."""

    devices: int
    conditions: dict[str, int]
    """Condition → how many."""
    median_response_ms: float | None
    """Of the devices' own medians."""
    turns_today: int
    updates_per_s: float
    """Messages taken a second, over the last ten."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What changed since a number."""

    number: int
    """The fleet's number now: `after` of the next batch."""
    changed: tuple[str, ...]
    """Ids, the oldest change first."""
    removed: tuple[str, ...]
    whole: bool
    """The number asked for is unknown here (another run of the hub): `changed` are all devices, forget the rest."""
