"""In: messages of every kind. Out: the same at the broker: what must arrive in order, retained facts always the newest.

Three ways out: `queue` (kept until the broker took it), `show` (a retained fact; only its newest value counts) and
`send` (now or never: replies, requests, claims).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from typing import Any

from appliance.telemetry.mqtt.link import Link
from appliance.telemetry.mqtt.outbox import DURABLE, Entry, Keep, Outbox, encode
from appliance.telemetry.mqtt.topics import Topics

log = logging.getLogger(__name__)

IN_FLIGHT = 20
"""Messages sent and not yet acknowledged; what a broker's receive maximum allows anyway (Mosquitto: 20)."""
SAVE_INTERVAL_S = 5.0
SAVE_AFTER_S = 2.0
"""A message that waited for this long is written to disk: a broker that is there takes it within milliseconds."""
ONLINE, OFFLINE = b"online", b"offline"


class Delivery:
    """The one door to the broker. For the event loop's thread."""

    def __init__(self, link: Link, outbox: Outbox, keep: Keep, topics: Topics) -> None:
        self.outbox = outbox
        self.topics = topics
        self.delivered: Counter[str] = Counter()
        """Messages the broker took, by kind."""
        self.repeated = 0
        """Messages sent again though the broker had acknowledged them, because it went away right after."""
        self._link = link
        self._keep = keep
        self._facts: dict[str, bytes] = {}
        self._flying: dict[int, int] = {}
        self._sent_seq = 0
        self._save_lock = asyncio.Lock()
        self._loaded = False
        link.on_taken = self._taken

    async def load(self) -> None:
        """Takes over what an earlier run could not deliver. Once: after that, what is in memory is newer."""
        if self._loaded:
            return
        self._loaded = True
        self.outbox.restore(await asyncio.to_thread(self._keep.load))

    async def run(self) -> None:
        """Writes what has to wait, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_INTERVAL_S)
            await self.save(SAVE_AFTER_S)

    async def save(self, after_s: float) -> None:
        """Writes what has waited for `after_s` or longer; takes from the file what was delivered."""
        limit_s = time.monotonic() - after_s
        old = [e for e in self.outbox.waiting() if e.kind in DURABLE and (e.made_s is None or e.made_s <= limit_s)]
        async with self._save_lock:
            await asyncio.to_thread(self._keep.save, old)

    # -- what the connection tells --------------------------------------------------------------------------------

    def up(self) -> None:
        """Connected: birth, facts, then what waited, the oldest first."""
        self._flying.clear()
        self._sent_seq = 0
        self.online()
        for topic, payload in self._facts.items():
            self._link.publish(topic, payload, retain=True)
        self.pump()

    def online(self) -> None:
        """Says that the device is there; again where a late last will of an older connection said otherwise."""
        self._link.publish(self.topics.of("availability"), ONLINE, retain=True)

    def down(self) -> None:
        """Not connected any more: what was not acknowledged, or only just, will be sent again, under its old id."""
        self._flying.clear()
        self.repeated += self.outbox.doubt()
        self._sent_seq = 0

    def _taken(self, mid: int) -> None:
        if (seq := self._flying.pop(mid, None)) is not None:
            if (entry := self.outbox.done(seq)) is not None:
                self.delivered[entry.kind] += 1
            self.pump()

    # -- the three ways out ---------------------------------------------------------------------------------------

    def queue(self, kind: str, name: str, body: dict[str, Any], retain: bool = False, cleared: bool = False) -> Entry:
        """Keeps a message of this device until the broker took it. `kind` says what may be dropped for room."""
        entry = self.outbox.put(kind, self.topics.of(name), body, retain, cleared)
        self.pump()
        return entry

    def show(self, topic: str, body: dict[str, Any] | None) -> None:
        """A retained fact; None takes it back. Sent now, and again with every connection."""
        payload = b"" if body is None else encode(body)
        if self._facts.get(topic) == payload:
            return
        self._facts[topic] = payload
        self._link.publish(topic, payload, retain=True)

    def hold(self, entry: Entry) -> None:
        """A queued retained message that is a fact as well: a broker that forgot it hears it again."""
        if entry.cleared:
            self._facts.pop(entry.topic, None)
        else:
            self._facts[entry.topic] = entry.payload()

    def again(self, topic: str) -> None:
        """Sends a fact once more."""
        if topic in self._facts:
            self._link.publish(topic, self._facts[topic], retain=True)

    def send(
        self, topic: str, body: dict[str, Any], correlation: bytes | None = None, response_topic: str | None = None,
        qos: int = 1,
    ) -> bool:  # fmt: skip
        """Now or never; whether there is a connection."""
        return self._link.publish(topic, encode(body), qos, False, correlation, response_topic) is not None

    # -- inside ---------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Sends on, in the order of making, while there is room in flight."""
        while len(self._flying) < IN_FLIGHT:
            entry = self.outbox.next(self._sent_seq)
            if entry is None:
                return
            mid = self._link.publish(entry.topic, entry.payload(), retain=entry.retain)
            if mid is None:
                return
            self._flying[mid] = entry.seq
            self._sent_seq = entry.seq

    async def close(self, deadline_s: float) -> None:
        """Sends what waits, says goodbye, keeps the rest on disk. Takes `deadline_s` at the most, plus the write."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self._link.connected and (len(self.outbox) or not self._link.drained()):  # noqa: ASYNC110 - at most two seconds, at the end or once
                    await asyncio.sleep(0.01)
        if self._link.connected:
            self._link.publish(self.topics.of("availability"), OFFLINE, retain=True)
            self._link.leave()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while not self._link.drained():  # noqa: ASYNC110 - at most two seconds, at the end or once
                        await asyncio.sleep(0.01)
        await self.save(0.0)
