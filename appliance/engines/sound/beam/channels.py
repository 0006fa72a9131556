"""In: raw blocks of all microphones. Out: which of them can be trusted, and why one cannot.

All microphones of one board hear the same room: what one of them alone does is a fault of its own. Judged a second at a
time; a fault counts after PATIENCE_S of it, and so does its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from appliance.engines.sound.beam.spectra import BIN_HZ
from appliance.engines.sound.beam.weights import Covariance
from appliance.engines.sound.pcm import FLOOR_DBFS, RATE_HZ, Samples

PATIENCE_S = 3
DEAD_DB = 40.0
"""A microphone so far below the middle one gives nothing: a broken wire's noise is 50 dB below a room's."""
ODD_DB = 15.0
"""A finger on the hole takes 15 to 25 dB; microphones of one board are within 3 dB."""
CLIPPED_SHARE = 0.01
CLIP = 32700
LOW = (BIN_HZ >= 100.0) & (BIN_HZ <= 500.0)
"""Bins where a board is small beside the wave (0.7 m at 500 Hz): its microphones hear nearly the same."""
LEAST_COHERENCE = 0.2
"""Mean squared coherence with the others in LOW; a channel that carries something else, after the codec's channels
rotated, has none, and real ones have 0.7 and more."""
QUIET_DBFS = -75.0
"""In a room so quiet each microphone hears its own noise: nothing can be told by comparing."""


class Fault(StrEnum):
    """What is wrong with a channel."""

    NONE = "none"
    DEAD = "dead"
    WEAK = "weak"
    LOUD = "loud"
    CLIPPED = "clipped"
    FOREIGN = "foreign"


@dataclass(slots=True)
class ChannelFacts:
    """One microphone in the last second."""

    level_dbfs: float = FLOOR_DBFS
    floor_dbfs: float = FLOOR_DBFS
    """The quietest of the last seconds, rising by 1 dB a second."""
    dc: float = 0.0
    """Share of full scale."""
    clipped: float = 0.0
    """Share of samples at full scale."""
    fault: Fault = Fault.NONE
    suspected: Fault = Fault.NONE
    seconds: int = 0
    """For how long `suspected` differs from `fault`."""


class ChannelWatch:
    """Compares the microphones of one board."""

    def __init__(self, microphones: int) -> None:
        self.facts = tuple(ChannelFacts() for _ in range(microphones))
        self.healthy: NDArray[np.bool_] = np.ones(microphones, dtype=bool)
        self._sum = np.zeros(microphones)
        self._squares = np.zeros(microphones)
        self._clipped = np.zeros(microphones)
        self._count = 0

    def take(self, block: Samples, noise: Covariance | None) -> bool:
        """Counts a block of shape (samples, microphones); `noise` is the room's covariance where it is known.

        True where a microphone was just found bad or good again.
        """
        wide = block.astype(np.float32)
        self._sum += wide.sum(axis=0)
        self._squares += (wide * wide).sum(axis=0)
        self._clipped += (np.abs(wide) >= CLIP).sum(axis=0)
        self._count += len(block)
        return self._count >= RATE_HZ and self._second(noise)

    def _second(self, noise: Covariance | None) -> bool:
        mean = self._sum / self._count
        power = np.maximum(self._squares / self._count - mean**2, 1e-12) / 32768.0**2
        levels = np.maximum(10 * np.log10(power), FLOOR_DBFS)
        coherence = None if noise is None else _coherence(noise)
        for number, fact in enumerate(self.facts):
            fact.level_dbfs = float(levels[number])
            known = fact.floor_dbfs > FLOOR_DBFS
            fact.floor_dbfs = min(fact.level_dbfs, fact.floor_dbfs + 1.0) if known else fact.level_dbfs
            fact.dc = float(mean[number] / 32768.0)
            fact.clipped = float(self._clipped[number] / self._count)
        for total in (self._sum, self._squares, self._clipped):
            total[:] = 0.0
        self._count = 0
        changed = [self._judge(number, levels, coherence) for number in range(len(self.facts))]
        self.healthy = np.array([fact.fault is Fault.NONE for fact in self.facts])
        return any(changed)

    def _judge(self, number: int, levels: NDArray[np.float64], coherence: NDArray[np.float64] | None) -> bool:
        fact = self.facts[number]
        others = np.delete(levels, number)
        middle = float(np.median(others)) if len(others) else fact.level_dbfs
        seen = Fault.NONE
        if fact.clipped > CLIPPED_SHARE:
            seen = Fault.CLIPPED
        elif middle < QUIET_DBFS:
            seen = Fault.NONE if fact.level_dbfs < middle + DEAD_DB else Fault.LOUD
        elif fact.level_dbfs < middle - DEAD_DB or fact.level_dbfs <= FLOOR_DBFS:
            seen = Fault.DEAD
        elif fact.level_dbfs < middle - ODD_DB:
            seen = Fault.WEAK
        elif fact.level_dbfs > middle + ODD_DB:
            seen = Fault.LOUD
        elif coherence is not None and _foreign(number, coherence):
            seen = Fault.FOREIGN
        new = seen is not fact.fault
        fact.seconds = fact.seconds + 1 if new and seen is fact.suspected else int(new)
        fact.suspected = seen
        if fact.seconds < PATIENCE_S:
            return False
        fact.fault, fact.seconds = seen, 0
        return True

    def counters(self) -> dict[str, float]:
        """Of every microphone, numbered from 0, for the heartbeat."""
        found: dict[str, float] = {"mics_bad": float((~self.healthy).sum())}
        for number, fact in enumerate(self.facts):
            found |= {
                f"mic{number}_dbfs": round(fact.level_dbfs, 1),
                f"mic{number}_floor_dbfs": round(fact.floor_dbfs, 1),
                f"mic{number}_dc": round(fact.dc, 4),
                f"mic{number}_clipped": round(fact.clipped, 4),
                f"mic{number}_ok": float(fact.fault is Fault.NONE),
            }
        return found


def _foreign(number: int, coherence: NDArray[np.float64]) -> bool:
    """Whether this one alone is unlike the others; where all are, it is their own noise that they hear."""
    others = np.delete(coherence, number)
    return len(others) > 1 and coherence[number] < LEAST_COHERENCE and float(np.median(others)) > 2 * LEAST_COHERENCE


def _coherence(noise: Covariance) -> NDArray[np.float64]:
    """Of each microphone, the median over the others of the mean squared coherence in LOW."""
    low = noise[:, :, LOW]
    own = np.einsum("mmf->mf", low).real
    squared = (np.abs(low) ** 2 / np.maximum(own[:, None] * own[None], 1e-12)).mean(axis=2)
    count = len(squared)
    return np.array([np.median(np.delete(squared[number], number)) if count > 1 else 1.0 for number in range(count)])
