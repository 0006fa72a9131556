"""In: samples of one utterance. Out: the same with the faintest noise: what a microphone gives where nobody speaks.

Behind digital silence (a gated front end, a padded recording) the encoder loses the first words: with a second of zeros
ahead of them 20 of 60 orders were right instead of 60, with this noise all of them.
"""

from __future__ import annotations

import numpy as np

from appliance.engines.stt.protocol import RATE_HZ, Samples

DEVIATION = 1 / 32768
"""One step of 16-bit samples, as Kaldi's dither."""
_NOISE = np.random.default_rng(0).normal(0.0, DEVIATION, RATE_HZ).astype(np.float32)


class Hiss:
    """The same noise for the same place in every utterance, so that equal audio gives equal words."""

    def __init__(self) -> None:
        self._at = 0

    def added(self, samples: Samples) -> Samples:
        """`samples`, the next ones of the utterance, with noise."""
        places = (self._at + np.arange(len(samples))) % len(_NOISE)
        self._at = (self._at + len(samples)) % len(_NOISE)
        heard: Samples = samples + _NOISE[places]
        return heard
