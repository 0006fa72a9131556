"""In: microphone blocks as they come. Out: any stretch of the last seconds, by position on the microphone's time line."""

from __future__ import annotations

import numpy as np

from appliance.engines.sound.pcm import Samples


class Ring:
    """The last `size` samples. Positions count 16 kHz samples since the engine started."""

    def __init__(self, size: int) -> None:
        self._samples = np.zeros(size, dtype=np.int16)
        self._size = size
        self.end = 0
        """Position behind the newest sample."""
        self._valid_from = 0

    @property
    def start(self) -> int:
        """Position of the oldest sample that is still there."""
        return max(self._valid_from, self.end - self._size)

    def put(self, samples: Samples) -> None:
        """Appends samples; the oldest ones give way."""
        kept = samples[-self._size :]
        at = (self.end + len(samples) - len(kept)) % self._size
        first = min(len(kept), self._size - at)
        self._samples[at : at + first] = kept[:first]
        self._samples[: len(kept) - first] = kept[first:]
        self.end += len(samples)

    def replace(self, samples: Samples) -> None:
        """The newest samples, once more and otherwise heard; what lies before the oldest that is kept does not count."""
        kept = samples[len(samples) - min(len(samples), self.end - self.start) :]
        at = (self.end - len(kept)) % self._size
        first = min(len(kept), self._size - at)
        self._samples[at : at + first] = kept[:first]
        self._samples[: len(kept) - first] = kept[first:]

    def skip(self, count: int) -> None:
        """Time passes whose samples are not kept (muted): what was there before is forgotten too."""
        self.end += count
        self._samples.fill(0)
        self._valid_from = self.end

    def cut(self, start: int, end: int) -> Samples:
        """A copy of the samples from `start` up to `end`. Raises IndexError where they are no longer or not yet there."""
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"{start}..{end} is outside of {self.start}..{self.end}")
        at, length = start % self._size, end - start
        first = min(length, self._size - at)
        return np.concatenate((self._samples[at : at + first], self._samples[: length - first]))
