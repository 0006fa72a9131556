"""In: interleaved periods as the card gives them. Out: 16 kHz mono S16 of the channel that is listened to.

The device's own voice is removed last, at 16 kHz: its far end is what playback wrote.
No high-pass: the features of the wake models begin at 125 Hz, recognisers remove the offset frame by frame, and levels
are measured about the mean (pcm.level_dbfs), so it would cost and change nothing.
"""

from __future__ import annotations

import numpy as np

from appliance.engines.sound.capture.card import Shape
from appliance.engines.sound.capture.resample import Resampler
from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.errors import DeviceError


class FrontEnd:
    """One stream of one card."""

    def __init__(self, shape: Shape, channel: int, echo: Echo | None = None) -> None:
        """Raises DeviceError where the card has no such channel. Without `echo` the loudspeaker stays in."""
        if channel >= shape.channels:
            raise DeviceError(
                "no-channel", f"{shape.name} has {shape.channels} channels; sound.channel = {channel} is none of them."
            )
        self._shape = shape
        self._channel = channel
        self._echo = echo
        self._resampler = Resampler(shape.rate_hz, RATE_HZ)

    def take(self, period: bytes) -> Samples:
        """One period of whole frames."""
        if self._shape.bits == 16:
            samples = np.frombuffer(period, dtype=np.int16)
        else:
            samples = (np.frombuffer(period, dtype=np.int32) >> 16).astype(np.int16)
        heard = self._resampler.take(np.ascontiguousarray(samples[self._channel :: self._shape.channels]))
        return heard if self._echo is None else self._echo.remove(heard)
