"""In: the fleet's changes. Out: server-sent events to one tab, batched, numbered, with a heartbeat.

Order of a stream: `hub` (how broker and hub stand), `snapshot` unless the tab can be resumed, `change` for every batch,
`hub` again at every heartbeat and whenever the broker comes or goes. An event's id is `EPOCH-NUMBER`; a tab that comes
back sends it as Last-Event-ID and gets what changed since then, however long it slept.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from starlette.responses import StreamingResponse

from appliance.hub.fleet.fleet import Fleet
from appliance.hub.fleet.view import Batch

BATCH_S = 0.25
HEARTBEAT_S = 5.0
SEND_S = 20.0
"""A tab that takes nothing for so long is let go; it comes back by itself."""
MOST_STREAMS = 200
RETRY_MS = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event. `data` may have several lines."""

    name: str
    data: str


class Rendering(Protocol):
    """How batches look on the wire. Renderings may keep what they drew by a device's number: tabs share it."""

    def snapshot(self, batch: Batch) -> Iterable[Event]:
        """Everything, for a tab that knows nothing."""

    def change(self, batch: Batch) -> Iterable[Event]:
        """What changed, for a tab that has the rest."""


@dataclass(slots=True)
class Streams:
    """Every open stream. `status` gives the body of the `hub` event."""

    fleet: Fleet
    status: Callable[[], dict[str, Any]]
    open: int = 0
    counters: Counter[str] = field(default_factory=Counter)
    """opened, resumed, refused, sent (events)."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _status_number: int = 0

    def status_changed(self) -> None:
        """The broker came or went: every tab is told with the next tick."""
        self._status_number += 1

    def respond(self, rendering: Rendering, last_event_id: str | None) -> StreamingResponse:
        """The response of a stream; 503 when there are too many."""
        if self.open >= MOST_STREAMS:
            self.counters["refused"] += 1
            return StreamingResponse(iter(()), 503, {"Retry-After": "10"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._run(rendering, last_event_id), 200, headers, "text/event-stream; charset=utf-8")

    async def _run(self, rendering: Rendering, last_event_id: str | None) -> AsyncIterator[bytes]:
        self.open += 1
        self.counters["opened"] += 1
        try:
            async for chunk in self._events(rendering, self._after(last_event_id)):
                yield chunk
        finally:
            self.open -= 1

    def _after(self, last_event_id: str | None) -> int:
        epoch, _, number = (last_event_id or "").partition("-")
        if epoch == self.fleet.epoch and number.isdigit() and len(number) < 16:
            self.counters["resumed"] += 1
            return int(number)
        return 0

    async def _events(self, rendering: Rendering, after: int) -> AsyncIterator[bytes]:
        yield f"retry: {RETRY_MS}\n".encode() + self._hub()
        told, beat_s = self._status_number, time.monotonic()
        batch = self.fleet.changes(after)
        for event in rendering.snapshot(batch) if batch.whole else rendering.change(batch):
            yield self._encode(event, batch.number)
        while not self.closing.is_set():
            await asyncio.sleep(BATCH_S - time.monotonic() % BATCH_S)  # one tick for all tabs: they share the drawing
            if told != self._status_number or time.monotonic() - beat_s >= HEARTBEAT_S:
                told, beat_s = self._status_number, time.monotonic()
                yield self._hub()
            if self.fleet.number != batch.number:
                batch = self.fleet.changes(batch.number or -1)
                for event in rendering.snapshot(batch) if batch.whole else rendering.change(batch):
                    yield self._encode(event, batch.number)

    def _hub(self) -> bytes:
        """Without an id: a heartbeat is nothing to resume from."""
        return f"event: hub\ndata: {msgspec.json.encode(self.status()).decode()}\n\n".encode()

    def _encode(self, event: Event, number: int) -> bytes:
        self.counters["sent"] += 1
        lines = "".join(f"data: {line}\n" for line in event.data.split("\n"))
        return f"id: {self.fleet.epoch}-{number}\nevent: {event.name}\n{lines}\n".encode()
