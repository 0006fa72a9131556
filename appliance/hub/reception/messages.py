"""In: a message's JSON. Out: the same as a typed record, its types and ranges checked; or one sentence why not.

The records hold what the hub uses of `appliance/telemetry/schemas/`; what they do not name is skipped unread. msgspec
checks while it decodes: 10 µs for a metrics message of 4 kB, where `jsonschema` takes more than a millisecond.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from appliance.errors import ApplianceError
from appliance.events import Hearing, Outcome, State
from appliance.telemetry.metrics.budget import Severity, Verdict

Wall = Annotated[float, Meta(ge=0.0, le=4102444800.0)]
"""Unix time, up to the year 2100."""
Identity = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9]{1,15}$")]
Short = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Ms = Annotated[float, Meta(ge=-1e7, le=1e7)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Percent = Annotated[int, Meta(ge=0, le=100)]


class Spread(Struct, frozen=True, gc=False):
    p50: Ms | None
    p95: Ms | None
    p99: Ms | None
    n: Count


class Window(Struct, frozen=True, gc=False):
    turns: Count


class TurnCounts(Struct, frozen=True):
    total: Count
    outcomes: Annotated[dict[Short, Count], Meta(max_length=20)]


class Engine(Struct, frozen=True):
    ready: bool
    restarts: Count
    breaker_open: bool


class Process(Struct, frozen=True, gc=False):
    cpu_ratio: Number | None
    rss_mb: Number
    pss_mb: Number | None
    threads: Count
    descriptors: Count
    written_bytes: Count | None


class Board(Struct, frozen=True, gc=False):
    temperature_c: Number | None
    throttled: bool | None
    undervoltage: bool | None
    wifi_dbm: Number | None
    disk_free_mb: Number | None
    memory_available_mb: Number | None


class Mqtt(Struct, frozen=True):
    waiting: Count
    waiting_bytes: Count
    dropped: Annotated[dict[Short, Count], Meta(max_length=20)]
    bytes_in: Count
    bytes_out: Count
    telemetry_cpu_s: Number


class MetricsBody(Struct, frozen=True):
    """`metrics`."""

    v: Literal[1]
    id: Identity
    at: Wall
    interval_s: Annotated[float, Meta(ge=0.1, le=3600.0)]
    window: Window
    turns: TurnCounts
    ms: Annotated[dict[Short, Spread], Meta(max_length=20)]
    measures: Annotated[dict[Short, Number | None], Meta(max_length=120)]
    engines: Annotated[dict[Short, Engine], Meta(max_length=10)]
    processes: Annotated[dict[Short, Process], Meta(max_length=20)]
    board: Board
    mqtt: Mqtt


class StateBody(Struct, frozen=True):
    """`state`, retained."""

    v: Literal[1]
    state: State
    hearing: Hearing
    deaf_reason: Short | None
    muted: bool
    volume_percent: Percent
    alerts: Annotated[list[Short], Meta(max_length=100)]


class TurnBody(Struct, frozen=True):
    """`turn`."""

    v: Literal[1]
    id: Identity
    at: Wall
    turn: Short
    outcome: Outcome
    cause: Short
    intent: Short | None
    confidence: Number | None
    wake_word: Short | None
    wake_score: Share | None
    noise_dbfs: Number | None
    engine_restarts: Count
    cached: bool | None
    failed: bool
    ms: Annotated[dict[Short, Ms | None], Meta(max_length=20)]
    transcript: Annotated[str, Meta(max_length=2000)] | None = None
    reply: Annotated[str, Meta(max_length=2000)] | None = None


class Limits(Struct, frozen=True, gc=False):
    target: Number
    warning: Number | None
    critical: Number | None


class AlertBody(Struct, frozen=True):
    """`alert/NAME`, retained while it holds."""

    v: Literal[1]
    at: Wall
    name: Short
    severity: Severity
    verdict: Verdict
    value: Number
    unit: Short
    budget: Limits
    remedy: Annotated[str, Meta(max_length=500)]
    id: Identity | None = None


class ModelFacts(Struct, frozen=True):
    kind: Short


class Info(Struct, frozen=True):
    """`info`, retained."""

    v: Literal[1]
    device: Short
    run: Short
    board: Short | None
    version: Short
    name: Short
    area: Short | None
    language: Short
    wake_words: Annotated[list[Short], Meta(max_length=20)]
    models: Annotated[dict[Short, ModelFacts], Meta(max_length=50)]


class EventBody(Struct, frozen=True):
    """`event/KIND`; what else it holds depends on the kind."""

    v: Literal[1]
    id: Identity
    at: Wall
    event_type: Short
    reason: Short | None = None
    engine: Short | None = None
    wake_word: Short | None = None
    score: Number | None = None
    restarts: Count | None = None
    winner: Short | None = None


class ReplyBody(Struct, frozen=True):
    """`reply`, to a command."""

    v: Literal[1]
    command: Short
    ok: bool
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    request_id: Short | None


class _Version(Struct):
    v: int


Body = MetricsBody | StateBody | TurnBody | AlertBody | Info | EventBody | ReplyBody

KINDS: dict[str, type[Struct]] = {
    "metrics": MetricsBody,
    "state": StateBody,
    "turn": TurnBody,
    "alert": AlertBody,
    "info": Info,
    "event": EventBody,
    "reply": ReplyBody,
}
_DECODERS = {kind: msgspec.json.Decoder(record) for kind, record in KINDS.items()}
_VERSION = msgspec.json.Decoder(_Version)


class BadMessageError(ApplianceError, ValueError):
    """A message is damaged: it is counted, set aside and told."""


class SchemaError(BadMessageError):
    """A message has a version that the hub does not know."""

    def __init__(self, version: int) -> None:
        super().__init__("unknown-version", f"It speaks message version {version}; the hub knows version 1.")
        self.version = version


def decode(kind: str, payload: bytes) -> Any:
    """The record of a message of `kind` (a key of KINDS). Raises BadMessageError; takes some microseconds."""
    try:
        return _DECODERS[kind].decode(payload)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        version = _version(payload)
        if version is not None and version != 1:
            raise SchemaError(version) from error
        raise BadMessageError("damaged", f"{kind}: {str(error)[:200]}.") from error


def _version(payload: bytes) -> int | None:
    try:
        return _VERSION.decode(payload).v
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
