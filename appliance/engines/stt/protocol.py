"""In: an utterance's samples. Out: partial and final texts. The seam behind which every recogniser stands."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.wire.stt import Partial, Transcribe, Transcript

RATE_HZ = 16000
"""What every engine here takes: 16 kHz mono."""

Samples = NDArray[np.float32]
"""Samples in -1..1."""


class Utterance(Protocol):
    """One utterance: made once, fed in order, finished once, thrown away. Called on the decoding thread only."""

    def accept(self, samples: Samples) -> Partial | None:
        """Takes samples (any length); a partial where something new was decoded. Blocks for the time of decoding."""

    def flush(self) -> Partial:
        """What all samples so far say, as if silence followed; more may be accepted after it."""

    def finish(self) -> Transcript:
        """The final text. Nothing may be accepted after it."""


class Recogniser(Protocol):
    """A loaded engine. Its utterances are independent of each other."""

    name: str
    """grammar, sherpa or pocketsphinx."""
    model: str | None
    versions: dict[str, str]
    notes: tuple[str, ...]
    """What this engine refuses with this model and why, for people."""

    def prepare(self, request: Transcribe) -> Future[Any] | None:
        """Starts what `request` needs in the background (a grammar to compile); None: nothing has to be awaited."""

    def learning(self, request: Transcribe) -> Future[Any] | None:
        """What `request` would be served with at best, being made or done; None: nothing is made for it."""

    def utterance(self, request: Transcribe) -> Utterance:
        """A new utterance. Raises SttError where the request cannot be served."""

    def rest(self) -> None:
        """Between utterances, on the decoding thread: whatever keeps memory bounded."""

    def counters(self) -> dict[str, float]:
        """What the engine counts of itself."""
