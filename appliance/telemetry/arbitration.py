"""In: wake words heard here and claims of the other devices. Out: whether another device answers instead of this one.

Every device that hears a wake word starts to listen at once and tells how well it heard it. Whoever sees a better claim
to the same words yields. The order is total (score, level, device), so all come to the same end without a word more:
the best one never sees a better claim and has waited for nothing. Without a broker nobody sees any: all answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TOGETHER_S = 0.5
"""Claims that come within this time of a wake are about the same words. 100 ms lie between the devices' ears, a broker
on Wi-Fi takes some more; people do not say the same word to two devices twice a second."""
MOST_REMEMBERED = 256


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """How well a device heard a wake word. The greater claim wins."""

    score: float
    """0..1, to two places: more is noise between one ear and the next."""
    level_dbfs: float
    """To a whole dB."""
    device: str

    @classmethod
    def of(cls, device: str, score: float, level_dbfs: float | None) -> Claim:
        return cls(round(score, 2), float(round(-120.0 if level_dbfs is None else level_dbfs)), device)

    def body(self, wake_word: str) -> dict[str, Any]:
        """The message of `claim`."""
        return {"wake_word": wake_word, "score": self.score, "level_dbfs": self.level_dbfs}


@dataclass(slots=True)
class Arbiter:
    """One device's view. Nothing in here waits."""

    device: str
    on_yield: Callable[[str, str], None]
    """Called once for a lost wake: (wake word, the winner)."""
    clock: Callable[[], float] = time.monotonic
    _own: dict[str, tuple[float, Claim]] = field(default_factory=dict)
    _others: dict[tuple[str, str], tuple[float, Claim]] = field(default_factory=dict)

    def heard(self, wake_word: str, score: float, level_dbfs: float | None) -> Claim:
        """This device heard the word: the claim to tell the others. Yields at once to a better one that came first."""
        now_s, claim = self.clock(), Claim.of(self.device, score, level_dbfs)
        self._own[wake_word] = (now_s, claim)
        for (word, _), (at_s, other) in list(self._others.items()):
            if word == wake_word and now_s - at_s <= TOGETHER_S and other > claim:
                self._yield(wake_word, other.device)
                break
        return claim

    def told(self, wake_word: str, claim: Claim) -> None:
        """Another device claims the word."""
        if claim.device == self.device:
            return
        now_s = self.clock()
        self._others.pop((wake_word, claim.device), None)
        self._others[wake_word, claim.device] = (now_s, claim)
        if len(self._others) > MOST_REMEMBERED:
            del self._others[next(iter(self._others))]  # the oldest: dicts keep the order of coming
        own = self._own.get(wake_word)
        if own is not None and now_s - own[0] <= TOGETHER_S and claim > own[1]:
            self._yield(wake_word, claim.device)

    def _yield(self, wake_word: str, winner: str) -> None:
        """Tells it once: a second better claim is no news."""
        if self._own.pop(wake_word, None) is not None:
            self.on_yield(wake_word, winner)


def parse_claim(device: str, tree: Any) -> tuple[str, Claim] | None:
    """(wake word, claim) in a message of `device`; None for rubbish."""
    if not isinstance(tree, dict):
        return None
    word, score, level = tree.get("wake_word"), tree.get("score"), tree.get("level_dbfs")
    if not isinstance(word, str) or len(word) > 64 or isinstance(score, bool) or not isinstance(score, int | float):
        return None
    if (
        isinstance(level, bool)
        or not isinstance(level, int | float)
        or not 0.0 <= score <= 1.0
        or not -200 <= level <= 50
    ):
        return None
    return word, Claim.of(device, float(score), float(level))
