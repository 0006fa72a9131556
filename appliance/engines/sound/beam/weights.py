"""In: covariances of noise and of noise with speech. Out: the speech's transfer function and the weights that pick it out.

Arrays are (microphones, …, BINS), bins last: numpy's loops then run over 257 neighbours instead of 4. MVDR: Capon 1969;
transfer function by covariance whitening: Markovich-Golan and Gannot 2015, eq. 9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.engines.sound.beam.spectra import Spectra

Covariance = NDArray[np.complex64]
"""(microphones, microphones, BINS), Hermitian."""
Vector = NDArray[np.complex64]
"""(microphones, BINS)."""

LOADING = 1e-2
"""Share of the mean noise power added to the diagonal: microphones differ, and their places are known to a millimetre."""
LEAST_POWER = 1e-3
"""The same where there is no noise at all, in units of S16; one bit of white noise is 20."""
MOST_GAIN = 2.0
"""One microphone is at most so much louder than the reference: more is an estimate gone wrong."""
STEPS = 2
"""Of the power iteration, for each block of audio; the vector of the block before is where it starts."""


def covariance(spectra: Spectra) -> Covariance:
    """Mean over the frames. Needs at least one."""
    found: Covariance = (spectra[:, :, None, :] * spectra[:, None, :, :].conj()).mean(axis=0)
    return found


def loaded(noise: Covariance) -> Covariance:
    """With the diagonal raised, so that its inverse is tame."""
    microphones = len(noise)
    power = np.einsum("mmf->f", noise).real / microphones
    raised = noise.copy()
    for one in range(microphones):
        raised[one, one] += LOADING * power + LEAST_POWER
    return raised


def inverse(matrix: Covariance) -> Covariance:
    """Of every bin's matrix."""
    turned: Covariance = np.linalg.inv(matrix.transpose(2, 0, 1)).transpose(1, 2, 0)
    return np.ascontiguousarray(turned)


def times(matrix: Covariance, vector: Vector) -> Vector:
    """Matrix by vector, bin by bin."""
    product: Vector = (matrix * vector[None]).sum(axis=1)
    return product


def follow(inverse_noise: Covariance, speech: Covariance, vector: Vector) -> Vector:
    """One step nearer to the direction in which `speech` stands out of the noise most (the main generalised eigenvector)."""
    for _ in range(STEPS):
        vector = times(inverse_noise, times(speech, vector))
        vector = vector / np.maximum(np.sqrt((np.abs(vector) ** 2).sum(axis=0)), 1e-20)
    return vector


def transfer(noise: Covariance, vector: Vector, reference: int) -> Vector:
    """The relative transfer function of what `follow` found: 1 at the reference microphone."""
    through = times(noise, vector)
    relative = through / np.where(np.abs(through[reference]) < 1e-12, 1e-12, through[reference])
    bounded: Vector = (relative * np.minimum(1.0, MOST_GAIN / np.maximum(np.abs(relative), 1e-9))).astype(np.complex64)
    return bounded


def mvdr(inverse_noise: Covariance, steering: Vector) -> Vector:
    """Weights with the least noise that let `steering` pass as the reference microphone hears it."""
    through = times(inverse_noise, steering)
    found: Vector = through / np.maximum((steering.conj() * through).sum(axis=0).real, 1e-20)
    return found


def power(matrix: Covariance, weights: Vector) -> NDArray[np.float32]:
    """What comes through `weights` of sound with this covariance, each bin."""
    through: NDArray[np.float32] = (weights.conj() * times(matrix, weights)).sum(axis=0).real
    return through


def apply(weights: Vector, spectra: Spectra) -> NDArray[np.complex64]:
    """The beam's spectra: (frames, BINS)."""
    beam: NDArray[np.complex64] = (weights.conj()[None] * spectra).sum(axis=1)
    return beam
