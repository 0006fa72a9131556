"""In: wake words, turns, claims of other devices on the broker. Out: our claims; a lost turn is stopped."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable

from appliance.events import TurnStarted, WakeDetected
from appliance.telemetry.arbitration import Arbiter, parse_claim
from appliance.telemetry.delivery import Delivery
from appliance.telemetry.device import House
from appliance.telemetry.link import Incoming

log = logging.getLogger(__name__)

YIELD_WAIT_S = 0.5
"""A turn that begins this long after its wake word was lost to another device is still that word's."""


class Claims:
    """One device's part in the agreement on who answers. For the event loop's thread; nothing waits for it."""

    def __init__(self, device: str, delivery: Delivery, house: House, on_lost: Callable[[str, str], None]) -> None:
        """`on_lost` is told (wake word, winner)."""
        self.arbiter = Arbiter(device, self._lost_wake)
        self.yielded = 0
        """Wake words that another device answered."""
        self._delivery = delivery
        self._house = house
        self._on_lost = on_lost
        self._turning = False
        self._lost: tuple[str, float] | None = None

    def heard(self, wake: WakeDetected) -> None:
        """Tells the others at once how well we heard it; the turn begins meanwhile. QoS 0: a late claim is none."""
        claim = self.arbiter.heard(wake.wake_word, wake.score, wake.level_dbfs)
        body = {"v": 1, "at": round(wake.wall_s, 3), **claim.body(wake.wake_word)}
        self._delivery.send(self._delivery.topics.of("claim"), body, qos=0)

    def told(self, incoming: Incoming) -> None:
        """A message on another device's `claim`."""
        device = incoming.topic[len(self._delivery.topics.prefix) + 1 : -len("/claim")]
        try:
            found = parse_claim(device, json.loads(incoming.payload))
        except (ValueError, RecursionError):
            return
        if found is not None:
            self.arbiter.told(*found)

    def started(self, turn: TurnStarted) -> None:
        """A turn began: that of a wake word that was lost before is stopped."""
        self._turning = True
        lost, self._lost = self._lost, None
        if lost is not None and turn.cause == "wake" and turn.at_s - lost[1] < YIELD_WAIT_S:
            self._house.yield_turn(lost[0])

    def ended(self) -> None:
        """The turn is over."""
        self._turning = False

    def _lost_wake(self, wake_word: str, winner: str) -> None:
        self.yielded += 1
        log.info("wake %s: %s answers", wake_word, winner)
        self._on_lost(wake_word, winner)
        self._lost = (winner, time.monotonic())
        if self._turning:
            self._house.yield_turn(winner)
