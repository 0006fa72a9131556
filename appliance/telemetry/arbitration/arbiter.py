"""In: wake words heard here and claims of the other devices. Out: whether another device answers instead of this one.

Every device that hears a wake word starts to listen at once and tells how well it heard it. Whoever sees a better claim
to the same words yields. The order is total (score, level, device), so all come to the same end without a word more:
the best one never sees a better claim and has waited for nothing. Without a broker nobody sees any: all answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

AGREED_MS = 150.0
"""All must know within this time of the wake word who answers. Nobody waits for it: a loser stops in the very moment in
which a better claim arrives, so agreement takes what lies between the ears and one delivery. Later ones are counted."""
TOGETHER_S = 0.5
"""The deadline, on the device's own clock: a claim that arrives later is about other words and stops nobody. Late is better
than two answers, so it lies above AGREED_MS: Wi-Fi that sleeps takes 100 ms and more for a delivery."""
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


@dataclass(frozen=True, slots=True)
class Lost:
    """A wake word that another device answers."""

    wake_word: str
    winner: str
    at_s: float
    """When it became known here, monotonic: the arrival of the better claim, or our own hearing where that came later."""
    after_ms: float
    """Since this device heard the word: so long it listened in vain."""


@dataclass(slots=True)
class ClaimArbiter:
    """One device's view. Nothing in here waits."""

    device: str
    on_yield: Callable[[Lost], None]
    """Called once for a lost wake, within `heard` or `told`."""
    _own: dict[str, tuple[float, Claim]] = field(default_factory=dict)
    _others: dict[tuple[str, str], tuple[float, Claim]] = field(default_factory=dict)

    def heard(self, wake_word: str, score: float, level_dbfs: float | None, at_s: float) -> Claim:
        """This device heard the word at `at_s` (monotonic): the claim to tell the others. Yields to a better one that
        came before."""
        claim = Claim.of(self.device, score, level_dbfs)
        self._own[wake_word] = (at_s, claim)
        for (word, _), (told_s, other) in list(self._others.items()):
            if word == wake_word and abs(at_s - told_s) <= TOGETHER_S and other > claim:
                self._yield(wake_word, other.device, max(at_s, told_s))
                break
        return claim

    def told(self, wake_word: str, claim: Claim, at_s: float) -> None:
        """Another device's claim arrived at `at_s` (monotonic, this device's clock)."""
        if claim.device == self.device:
            return
        self._others.pop((wake_word, claim.device), None)
        self._others[wake_word, claim.device] = (at_s, claim)
        if len(self._others) > MOST_REMEMBERED:
            del self._others[next(iter(self._others))]  # the oldest: dicts keep the order of coming
        own = self._own.get(wake_word)
        if own is not None and abs(at_s - own[0]) <= TOGETHER_S and claim > own[1]:
            self._yield(wake_word, claim.device, max(at_s, own[0]))

    def _yield(self, wake_word: str, winner: str, at_s: float) -> None:
        """Tells it once: a second better claim is no news."""
        if (own := self._own.pop(wake_word, None)) is not None:
            self.on_yield(Lost(wake_word, winner, at_s, (at_s - own[0]) * 1000))


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
