"""In: batches. Out: the same as JSON, for programs: `snapshot` {devices}, `change` {devices, removed}."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from appliance.hub.fleet.fleet import Fleet
from appliance.hub.fleet.view import Batch
from appliance.hub.stream.sse import Event


class Plain:
    """The views as they are."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def snapshot(self, batch: Batch) -> Iterable[Event]:
        yield Event("snapshot", self._encode(batch))

    def change(self, batch: Batch) -> Iterable[Event]:
        yield Event("change", self._encode(batch))

    def _encode(self, batch: Batch) -> str:
        views = [self._fleet.view(device) for device in batch.changed]
        return msgspec.json.encode({"devices": views, "removed": batch.removed}).decode()
