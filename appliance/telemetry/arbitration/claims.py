"""In: wake words, turns, claims of other devices on the broker. Out: our claims; a lost turn is stopped."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from appliance.events import TurnStarted, WakeDetected
from appliance.files import Damaged, parse_json
from appliance.telemetry.arbitration.arbiter import AGREED_MS, ClaimArbiter, Lost, parse_claim
from appliance.telemetry.device import House
from appliance.telemetry.metrics.windows import LEAST_TURNS, percentile
from appliance.telemetry.mqtt.delivery import Delivery
from appliance.telemetry.mqtt.incoming import Incoming

log = logging.getLogger(__name__)

RECENT = 20
"""Lost wake words whose times are kept."""
YIELD_WAIT_S = 0.5
"""A turn that begins this long after its wake word was lost to another device is still that word's."""


class Claims:
    """One device's part in the agreement on who answers. For the event loop's thread; nothing waits for it."""

    def __init__(self, device: str, delivery: Delivery, house: House, on_lost: Callable[[Lost], None]) -> None:
        """`on_lost` is told of every wake word that another device answers."""
        self.arbiter = ClaimArbiter(device, self._lost_wake)
        self.yielded = 0
        """Wake words that another device answered."""
        self.late = 0
        """Of those, the ones known only AGREED_MS after they were heard here."""
        self.agreed_ms: deque[float] = deque(maxlen=RECENT)
        """How long it took until they were known, of the last."""
        self._delivery = delivery
        self._house = house
        self._on_lost = on_lost
        self._turning = False
        self._lost: Lost | None = None

    @property
    def usual_ms(self) -> float | None:
        """p95 of the last times to agreement; None while they are few."""
        return percentile(self.agreed_ms, 0.95) if len(self.agreed_ms) >= LEAST_TURNS else None

    def heard(self, wake: WakeDetected) -> None:
        """Tells the others at once how well we heard it; the turn begins meanwhile. QoS 0: a late claim is none."""
        claim = self.arbiter.heard(wake.wake_word, wake.score, wake.level_dbfs, wake.at_s)
        body = {"v": 1, "at": round(wake.wall_s, 3), **claim.body(wake.wake_word)}
        self._delivery.send(self._delivery.topics.of("claim"), body, qos=0)

    def told(self, incoming: Incoming) -> None:
        """A message on another device's `claim`."""
        device = incoming.topic[len(self._delivery.topics.prefix) + 1 : -len("/claim")]
        try:
            found = parse_claim(device, parse_json(incoming.payload))
        except Damaged:
            return
        if found is not None:
            self.arbiter.told(*found, incoming.at_s)

    def started(self, turn: TurnStarted) -> None:
        """A turn began: that of a wake word that was lost before is stopped."""
        self._turning = True
        lost, self._lost = self._lost, None
        if lost is not None and turn.cause == "wake" and turn.at_s - lost.at_s < YIELD_WAIT_S:
            self._house.yield_turn(lost.winner)

    def ended(self) -> None:
        """The turn is over."""
        self._turning = False

    def _lost_wake(self, lost: Lost) -> None:
        if self._turning:
            self._house.yield_turn(lost.winner)
        self.yielded += 1
        self.late += lost.after_ms > AGREED_MS
        self.agreed_ms.append(lost.after_ms)
        log.info("wake %s: %s answers, known after %.0f ms", lost.wake_word, lost.winner, lost.after_ms)
        self._lost = lost
        self._on_lost(lost)
