"""In: scores of wake words. Out: wakes and near misses, each reported once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.engines.sound.pcm import RATE_HZ
from appliance.engines.sound.wake.protocol import Word

if TYPE_CHECKING:
    from appliance.settings.sound import WakeSettings

NEAR_ENDS_S = 0.3
"""A near miss is over when no score came close for this long; an utterance's echo stays within."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A wake (`near` false) or a near miss."""

    name: str
    score: float
    near: bool


class Decision:
    """One word's judge. Time is audio time: positions in 16 kHz samples."""

    def __init__(self, word: Word, settings: WakeSettings) -> None:
        cutoff, near_ratio, refractory_s = word.cutoff, settings.near_miss_ratio, settings.refractory_s
        self.name = word.name
        self._relief = word.relief
        self._cutoff = cutoff
        self._near = cutoff * near_ratio
        self._refractory = int(refractory_s * RATE_HZ)
        self._speaking_add = settings.speaking_cutoff_add
        self._quiet_until = 0
        self._peak = 0.0
        self._peak_at = 0
        self._armed = True

    def cutoff(self, speaking: bool, quiet: bool, own: bool = False) -> float:
        """The score that counts now: more while the device itself is heard, none where only it is; else less in a quiet
        room."""
        if own:
            return 1.0
        if speaking:
            return min(self._cutoff + self._speaking_add, 0.999)
        return self._cutoff - (self._relief if quiet else 0.0)

    def take(
        self, position: int, score: float, speaking: bool = False, quiet: bool = False, own: bool = False
    ) -> Verdict | None:
        """The verdict after a score at `position`; `speaking`: the device itself is heard; `own`: nothing else is;
        `quiet`: the room is.

        A word fires again only after its score fell below the cutoff and the refractory time went by.
        """
        if score <= self.cutoff(speaking, quiet, own):
            self._armed = True
            return self._near_miss(position, score)
        self._peak = 0.0
        if not self._armed or position < self._quiet_until:
            self._armed = False
            return None
        self.rest(position)
        self._armed = False
        return Verdict(self.name, score, near=False)

    def rest(self, position: int) -> None:
        """The refractory time begins: one wake, of whichever word, silences all."""
        self._quiet_until = position + self._refractory
        self._peak = 0.0

    def _near_miss(self, position: int, score: float) -> Verdict | None:
        if score > self._near and position >= self._quiet_until:
            self._peak, self._peak_at = max(self._peak, score), position
            return None
        if not self._peak or position - self._peak_at < NEAR_ENDS_S * RATE_HZ:
            return None
        peak, self._peak = self._peak, 0.0
        return Verdict(self.name, peak, near=True)
