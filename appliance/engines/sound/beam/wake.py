"""In: what a microphone array hears. Out: the scores of the wake words in the best of a few beams.

Nobody knows yet from where the word will come. Three MVDR beams all around, each with an engine of its own, and the best
score of them counts: of the first 20 recordings of a simulated kitchen at 5 dB 18 are above the cutoff of 0.9, as with
six beams; 14 in one microphone, 15 in the one beam that follows what stands out (docs/ear.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.engines.sound.beam.array import MicrophoneArray
from appliance.engines.sound.wake.protocol import WakeEngine


class BeamWake:
    """A WakeEngine of several alike, one a beam. Where there are no beams, the first hears what it is given."""

    def __init__(self, array: MicrophoneArray, engines: Sequence[WakeEngine]) -> None:
        """`engines`: as many as `array` has wake beams, with the same words."""
        self._array = array
        self._engines = tuple(engines)
        first = self._engines[0]
        self.name, self.library = first.name, first.library
        self.words, self.step, self.tail_ms = first.words, first.step, first.tail_ms
        self.latest: tuple[float, ...] = ()
        self._beamed = False

    def take(self, audio: bytes) -> tuple[float, ...] | None:
        """The best score of each word; `audio` counts only where the array has no beams at this time."""
        beams = self._array.wake_audio(self.step)
        if beams is None:
            self._beamed = False
            scores = self._engines[0].take(audio)
            self.latest = self._engines[0].latest
            return scores
        if not self._beamed:
            self._beamed = True
            for engine in self._engines[1:]:  # what they heard last is long ago
                engine.reset()
        taken = [engine.take(beam) for engine, beam in zip(self._engines, beams, strict=True)]
        scored = [scores for scores in taken if scores is not None]
        self.latest = _best([engine.latest for engine in self._engines if engine.latest])
        return _best(scored) if scored else None

    def reset(self) -> None:
        """Forgets all audio."""
        self._array.forget_wake_audio()
        self._beamed = False
        self.latest = ()
        for engine in self._engines:
            engine.reset()


def _best(scores: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Of each word, the highest."""
    return tuple(max(of_word) for of_word in zip(*scores, strict=True))
