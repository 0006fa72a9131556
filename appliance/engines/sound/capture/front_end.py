"""In: interleaved periods as the card gives them. Out: 16 kHz mono S16: one channel of it, or a beam of several.

The device's own voice is removed last, at 16 kHz: its far end is what playback wrote.
No high-pass: the features of the wake models begin at 125 Hz, recognisers remove the offset frame by frame, and levels
are measured about the mean (pcm.level_dbfs), so it would cost and change nothing.
"""

from __future__ import annotations

import numpy as np

from appliance.engines.sound.beam.array import MicrophoneArray
from appliance.engines.sound.capture.card import Shape
from appliance.engines.sound.capture.resample import Resampler
from appliance.engines.sound.echo.canceller import Echo
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.errors import DeviceError


class FrontEnd:
    """One stream of one card."""

    def __init__(
        self,
        shape: Shape,
        channels: tuple[int, ...],
        echo: Echo | None = None,
        array: MicrophoneArray | None = None,
    ) -> None:
        """`channels`: the one that is listened to, or those of `array`'s microphones.

        Raises DeviceError where the card has no such channel. Without `echo` the loudspeaker stays in.
        """
        if (last := max(channels)) >= shape.channels:
            raise DeviceError(
                "no-channel",
                f"{shape.name} has {shape.channels} channels; sound.channel = {last} is none of them."
                if array is None
                else f"{shape.name} has {shape.channels} channels; the board's map (sound.board) wants {last + 1}.",
            )
        self._shape = shape
        self._channels = channels
        self._echo = echo
        self._array = array
        self._resamplers = tuple(Resampler(shape.rate_hz, RATE_HZ) for _ in channels)

    def take(self, period: bytes) -> Samples:
        """One period of whole frames."""
        if self._shape.bits == 16:
            samples = np.frombuffer(period, dtype=np.int16)
        else:
            samples = (np.frombuffer(period, dtype=np.int32) >> 16).astype(np.int16)
        taken = [
            resampler.take(np.ascontiguousarray(samples[channel :: self._shape.channels]))
            for channel, resampler in zip(self._channels, self._resamplers, strict=True)
        ]
        if self._array is None:
            heard = taken[0]
        else:
            self._array.bypass(self._echo is not None and self._echo.at_work)
            heard = self._array.take(np.stack(taken, axis=1))
        return heard if self._echo is None else self._echo.remove(heard)
