"""In: the transfer function of who speaks. Out: where he is, in degrees clockwise from the board's mark.

The transfer function is the voice's alone: the noise was taken out of it. So this finds the speaker where the loudest
source is somebody else (plain SRP-PHAT found the noise).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.engines.sound.beam.spectra import BIN_HZ
from appliance.engines.sound.beam.weights import Vector

SOUND_M_S = 343.0
"""Speed of sound at 20 °C."""
GRID_DEG = 3.0
LOWEST_HZ, HIGHEST_HZ = 300.0, 4000.0
"""Below, the phases of a small array hardly differ; above, a voice has little and neighbours 6 cm apart are ambiguous."""
MOST_SNR = 30.0
"""A bin counts by its signal-to-noise ratio up to this (15 dB), so that no vowel's first harmonic decides alone."""
LEAST_SHARPNESS = 0.3
"""Mean likeness, 0..1, of the transfer function and the best plane wave; below it no direction is claimed."""


class Directions:
    """Plane waves from all around one geometry."""

    def __init__(self, positions_m: Sequence[tuple[float, float]]) -> None:
        places = np.array(positions_m, dtype=np.float64)
        centred = places - places.mean(axis=0)
        line = bool(np.linalg.matrix_rank(centred, tol=1e-3) < 2)
        turn = 90.0 if line else 180.0
        """Microphones in a line cannot tell front from back: the front it is."""
        self.degrees: NDArray[np.float64] = np.arange(-turn, turn + (1.0 if line else 0.0), GRID_DEG)
        self._places = places
        self._waves = self.waves(self.degrees)
        self._band = (BIN_HZ >= LOWEST_HZ) & (BIN_HZ <= HIGHEST_HZ)

    def waves(self, degrees: Sequence[float] | NDArray[np.float64]) -> NDArray[np.complex64]:
        """Plane waves from there, (directions, microphones, BINS)."""
        angles = np.radians(degrees)
        ahead_s = self._places @ np.stack((np.sin(angles), np.cos(angles))) / SOUND_M_S
        found: NDArray[np.complex64] = np.exp(2j * np.pi * ahead_s.T[:, :, None] * BIN_HZ).astype(np.complex64)
        return found

    def find(self, steering: Vector, snr: NDArray[np.float32], healthy: NDArray[np.bool_]) -> float | None:
        """Degrees, 0 ≤ d < 360; None where nothing points anywhere. `snr` is the power ratio of each bin."""
        weight = np.where(self._band, np.clip(snr, 0.0, MOST_SNR), 0.0)
        if healthy.sum() < 2 or weight.sum() <= 0:
            return None
        heard = steering[healthy]
        unit = heard / np.maximum(np.sqrt((np.abs(heard) ** 2).sum(axis=0)), 1e-9)
        waves = self._waves[:, healthy]
        likeness = np.abs((waves.conj() * unit[None]).sum(axis=1)) ** 2 / healthy.sum()
        found = (likeness * weight).sum(axis=1) / weight.sum()
        best = int(found.argmax())
        return float(self.degrees[best] % 360.0) if found[best] >= LEAST_SHARPNESS else None
