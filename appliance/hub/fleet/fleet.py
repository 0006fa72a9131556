"""In: checked messages. Out: every device's state, numbered changes, and silence found. For the event loop only.

A change has no body: whoever follows asks for what is newer than the number he has and draws those devices anew. So a
listener that sleeps for a day costs nothing, and resuming needs no log.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator

from appliance.errors import ApplianceError
from appliance.events import Hearing
from appliance.hub.fleet.card import draw
from appliance.hub.fleet.device import Device, HeldAlert
from appliance.hub.fleet.numbering import Numbered
from appliance.hub.fleet.view import Batch, Condition, DeviceView, Summary
from appliance.hub.reception.address import Address
from appliance.hub.reception.messages import (
    AlertBody,
    BadMessageError,
    EventBody,
    Info,
    MetricsBody,
    ReplyBody,
    SchemaError,
    StateBody,
    TurnBody,
    decode,
)

SILENT_INTERVALS = 2.5
"""A device that says nothing for so many of its metrics intervals is silent."""
GRACE_S = 1.0
"""Of delivery, on top."""
MOST_DEVICES = 200_000
"""Names that are remembered: rubbish on the broker does not fill the memory."""
RATE_SPAN_S = 10


class UnknownDeviceError(ApplianceError, KeyError):
    """Nobody of that name was heard."""

    def __init__(self, device: str) -> None:
        super().__init__("unknown-device", f"There is no device '{device[:64]}'.")


class Listener:
    """What follows the fleet without being able to hold it up: override what is wanted; each call takes microseconds."""

    def metrics(self, device: Device, body: MetricsBody, at_s: float) -> None:
        """A set of metrics, made at `at_s` by the hub's clock."""

    def turn(self, device: Device, body: TurnBody, at_s: float) -> None: ...

    def event(self, device: Device, kind: str, body: EventBody, at_s: float) -> None: ...

    def alert(self, device: Device, name: str, body: AlertBody | None, at_s: float) -> None:
        """An alert began or changed; None: it healed."""

    def presence(self, device: Device, what: str, at_s: float) -> None:
        """`online`, `offline`, `silent`, `back` or `started` (a new run)."""

    def reply(self, device: Device, body: ReplyBody, correlation: bytes | None) -> None: ...

    def removed(self, device: Device) -> None: ...


class Fleet:
    """The devices by id."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.epoch = secrets.token_hex(4)
        """Of this run: numbers of another run mean nothing here."""
        self.number = 0
        self.devices: dict[str, Device] = {}
        self.refused_topics = 0
        self.taken = 0
        self.repeated = 0
        self._order: dict[str, None] = {}
        """Ids by their last change, the oldest first."""
        self._gone: deque[tuple[int, str]] = deque(maxlen=1000)
        self._forgotten = 0
        """Removals up to this number are not known any more."""
        self._listeners: list[Listener] = []
        self._wall, self._monotonic = wall, monotonic
        self._views: dict[str, DeviceView] = {}
        self._rate: deque[tuple[float, int]] = deque(maxlen=RATE_SPAN_S + 1)

    def follow(self, listener: Listener) -> None:
        """From now on `listener` is told of everything."""
        self._listeners.append(listener)

    # -- what comes -----------------------------------------------------------------------------------------------

    def take(self, where: Address, payload: bytes, retain: bool, correlation: bytes | None = None) -> None:
        """One message. Whatever is in it, nothing is raised; damaged ones are counted with their device."""
        now_s, now_monotonic_s = self._wall(), self._monotonic()
        device = self.devices.get(where.device)
        if device is None:
            if not payload or where.kind == "reply" or len(self.devices) >= MOST_DEVICES:
                self.refused_topics += bool(payload)
                return
            device = self.devices[where.device] = Device(where.device, now_s)
        self.taken += 1
        device.received += 1
        if not retain:
            flooding = device.flood.since_s is not None
            if not device.flood.take(now_monotonic_s):
                device.dropped += 1
                if not flooding:
                    self._touch(device)
                return
        try:
            changed = self._sort(device, where, payload, retain, correlation, now_s)
        except SchemaError as error:
            device.schema, device.schema_s = error.version, device.schema_s or now_s
            changed = self._refuse(device, error, now_s)
        except BadMessageError as error:
            changed = self._refuse(device, error, now_s)
        if not retain and where.kind != "availability":
            self._heard(device, now_s, now_monotonic_s)
        if changed:
            self._touch(device)

    def _refuse(self, device: Device, error: BadMessageError, now_s: float) -> bool:
        device.refused += 1
        device.refusal, device.refusal_s = error.message, now_s
        return True

    def _heard(self, device: Device, now_s: float, now_monotonic_s: float) -> None:
        device.heard_s, device.heard_monotonic_s = now_s, now_monotonic_s
        if device.available is False:
            device.available, device.gone_s = True, None  # it speaks, whatever the broker's will said
        if device.silent_s is not None:
            device.silent_s = None
            for listener in self._listeners:
                listener.presence(device, "back", now_s)
            self._touch(device)

    def _sort(
        self, device: Device, where: Address, payload: bytes, retain: bool, correlation: bytes | None, now_s: float
    ) -> bool:
        """Whether anything that is shown changed."""
        kind = where.kind
        if kind == "availability":
            return self._availability(device, payload, now_s)
        if not payload:
            return self._cleared(device, where, now_s)
        body = decode(kind, payload)
        if isinstance(body, (MetricsBody, TurnBody, EventBody)):
            if retain or not self._fresh(device, body.id):
                self.repeated += 1
                return False
            device.skew.add(body.at, now_s)
            at_s = device.skew.corrected(body.at, now_s)
            return self._stream(device, where, body, at_s)
        if isinstance(body, StateBody):
            deaf = body.hearing is Hearing.DEAF
            device.deaf_s = (device.deaf_s or now_s) if deaf else None
            changed = device.state != body
            device.state = body
            return changed
        if isinstance(body, AlertBody):
            if body.id is not None:
                self._fresh(device, body.id)
            return self._alert(device, where.name, body, now_s, retain)
        if isinstance(body, Info):
            changed = device.info != body
            if device.info is not None and device.info.run != body.run:
                self._presence(device, "started", now_s)
            device.info = body
            device.schema = device.schema_s = None
            return changed
        for listener in self._listeners:
            listener.reply(device, body, correlation)
        return False

    def _fresh(self, device: Device, identity: str) -> bool:
        run, _, number = identity.partition("-")
        return device.numbering.take(run, int(number), self._monotonic()) is Numbered.NEW

    def _stream(self, device: Device, where: Address, body: MetricsBody | TurnBody | EventBody, at_s: float) -> bool:
        if isinstance(body, MetricsBody):
            device.metrics, device.interval_s = body, body.interval_s
            down = {name for name, engine in body.engines.items() if not engine.ready}
            if down or device.engines_s:
                device.engines_s = {name: device.engines_s.get(name, at_s) for name in down}
            for listener in self._listeners:
                listener.metrics(device, body, at_s)
        elif isinstance(body, TurnBody):
            device.turn(body.ms.get("response"), body.failed or body.outcome.value == "failed", local_day(at_s))
            for listener in self._listeners:
                listener.turn(device, body, at_s)
        else:
            for listener in self._listeners:
                listener.event(device, where.name, body, at_s)
        return True

    def _alert(self, device: Device, name: str, body: AlertBody, now_s: float, retain: bool) -> bool:
        held = device.alerts.get(name)
        if held is not None and held.body == body:
            return False
        if held is None and len(device.alerts) >= 100:
            raise BadMessageError("too-many", "alert: more than a hundred at once.")
        device.alerts[name] = HeldAlert(body, held.since_s if held else device.skew.corrected(body.at, now_s))
        for listener in self._listeners:
            listener.alert(device, name, body, device.alerts[name].since_s if not held else now_s)
        return True

    def _cleared(self, device: Device, where: Address, now_s: float) -> bool:
        """An empty retained payload: the fact is taken back."""
        if where.kind == "alert":
            if device.alerts.pop(where.name, None) is None:
                return False
            for listener in self._listeners:
                listener.alert(device, where.name, None, now_s)
        elif where.kind == "info":
            device.info = None
            self.remove(device.id)
            return False
        elif where.kind == "state":
            device.state = device.deaf_s = None
        return True

    def _availability(self, device: Device, payload: bytes, now_s: float) -> bool:
        if payload not in (b"online", b"offline", b""):
            raise BadMessageError("damaged", "availability: neither online nor offline.")
        available = None if not payload else payload == b"online"
        if available == device.available:
            return False
        device.available = available
        device.gone_s = now_s if available is False else None
        self._presence(device, "offline" if available is False else "online", now_s)
        return True

    def _presence(self, device: Device, what: str, at_s: float) -> None:
        for listener in self._listeners:
            listener.presence(device, what, at_s)

    # -- what time brings -----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Once a second: who has fallen silent, whose flood is over."""
        now_s, now_monotonic_s = self._wall(), self._monotonic()
        self._rate.append((now_monotonic_s, self.taken))
        for device in self.devices.values():
            if device.flood.over(now_monotonic_s) | device.numbering.single(now_monotonic_s):
                self._touch(device)
            if device.silent_s is not None or device.heard_monotonic_s is None:
                continue
            if now_monotonic_s - device.heard_monotonic_s > device.interval_s * SILENT_INTERVALS + GRACE_S:
                device.silent_s = device.heard_s
                self._presence(device, "silent", now_s)
                self._touch(device)

    def remove(self, device: str) -> None:
        """Forgets a device that was taken out of the house. Raises UnknownDeviceError."""
        gone = self.devices.pop(device, None)
        if gone is None:
            raise UnknownDeviceError(device)
        self._order.pop(device, None)
        self._views.pop(device, None)
        self.number += 1
        if len(self._gone) == self._gone.maxlen:
            self._forgotten = self._gone[0][0]
        self._gone.append((self.number, device))
        for listener in self._listeners:
            listener.removed(gone)

    def _touch(self, device: Device) -> None:
        self.number += 1
        device.number = self.number
        self._order.pop(device.id, None)
        self._order[device.id] = None

    # -- what is told ---------------------------------------------------------------------------------------------

    def changes(self, after: int) -> Batch:
        """What is newer than `after`; 0, or a number that cannot be resumed from, gives everything."""
        if after > self.number or after < self._forgotten or after <= 0:
            return Batch(self.number, tuple(self._order), (), True)
        changed = []
        for device in reversed(self._order):
            if self.devices[device].number <= after:
                break
            changed.append(device)
        removed = tuple(name for number, name in self._gone if number > after and name not in self.devices)
        return Batch(self.number, tuple(reversed(changed)), removed, False)

    def device(self, device: str) -> Device:
        """Raises UnknownDeviceError."""
        found = self.devices.get(device)
        if found is None:
            raise UnknownDeviceError(device)
        return found

    def view(self, device: str) -> DeviceView:
        """The card of one device; kept until its next change. Raises UnknownDeviceError."""
        found = self.device(device)
        view = self._views.get(device)
        if view is None or view.number != found.number:
            view = self._views[device] = draw(found, self._wall(), self._monotonic(), local_day(self._wall()))
        return view

    def views(self) -> list[DeviceView]:
        """All of them, the worst first."""
        return sorted((self.view(device) for device in self._order), key=lambda view: view.rank)

    def summary(self) -> Summary:
        """Costs one view a device that changed: ask once a batch at most."""
        views = [self.view(device) for device in self._order]
        times = sorted(view.response_ms for view in views if view.response_ms is not None)
        counts = dict.fromkeys((condition.value for condition in Condition), 0)
        for view in views:
            counts[view.condition.value] += 1
        return Summary(
            devices=len(views), conditions=counts,
            median_response_ms=times[len(times) // 2] if times else None,
            turns_today=sum(view.turns_today for view in views), updates_per_s=self._updates_per_s(),
        )  # fmt: skip

    def _updates_per_s(self) -> float:
        if len(self._rate) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._rate[0], self._rate[-1]
        return round((last - first) / max(last_s - first_s, 1e-3), 1)

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices.values())


def local_day(at_s: float) -> int:
    """Number of the hub's local calendar day."""
    moment = time.localtime(at_s)
    return moment.tm_year * 1000 + moment.tm_yday
