"""In: samples and a grammar. Out: the best sentence of the grammar, frame by frame, beside the free reading.

One encoder pass serves three searches: the grammar's, the free one with the same blank penalty (only its score is used: the
gap between the two says whether the grammar fits), and the free one without it (the free text).
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from appliance.engines.stt.accent import Accent
from appliance.engines.stt.beam import Beam, Search, Width, advance
from appliance.engines.stt.features import BINS, SHIFT, Features, Frames
from appliance.engines.stt.free import FreeSearch
from appliance.engines.stt.grammar_cache import GrammarCache
from appliance.engines.stt.hiss import Hiss
from appliance.engines.stt.loudness import is_quiet
from appliance.engines.stt.pieces import PieceStates, Vocabulary
from appliance.engines.stt.protocol import RATE_HZ, Samples
from appliance.engines.stt.reading import LONGER_FITS, Reading, Readings
from appliance.engines.stt.transducer import Encoded, Transducer
from appliance.wire.child import ModelFile
from appliance.wire.stt import Partial, Transcribe, Transcript

if TYPE_CHECKING:
    from appliance.settings.engines import SttSettings

BEHIND = 14.0
"""Natural log. At 10 a command at eleven positions on the encoder's chunks was right at 3, at 14 at all, though of 400
orders at 6 dB 377 were read right (375 at 14), 11 % faster."""
LOOSE = 24
"""Hypotheses in free-text slots."""
GAIN = np.float32(0.37)
"""The networks hear the same sound this much quieter: in kitchen noise at 6 dB 2 of 200 orders more are right than at 1,
at 0.08 and at 3 fewer."""
FREE_BLANK_PENALTY = 0.5
"""For the free text: with the constrained search's penalty it inserts words."""
TAIL_FRAMES = 24
"""Silence put behind the last sample, in 10 ms frames: the encoder looks 130 ms ahead, and pieces come late."""
MOST_ALTERNATIVES = 4


class ConstrainedRecogniser:
    """The engine 'grammar'. Raises SttError where the model cannot be driven."""

    name = "grammar"

    def __init__(
        self, model: ModelFile, settings: SttSettings, accent: Accent | None = None, folder: Path | None = None
    ) -> None:
        """`accent`: what is spoken is another language than the model's. `folder`: where the encoder is kept in the form
        it is loaded in."""
        self._transducer = Transducer(model, settings.threads, folder)
        self._vocabulary = Vocabulary(self._transducer.pieces)
        self._shelf = GrammarCache(self._vocabulary, accent)
        habits = settings if accent is None else accent
        self._width = Width(settings.beam, BEHIND, LOOSE, habits.blank_penalty, habits.internal_lm)
        self.model: str | None = model.name
        self.versions = {"onnxruntime": version("onnxruntime"), "hassil": version("hassil")}
        self.notes: tuple[str, ...] = () if accent is None else (accent.note,)
        self.utterance(Transcribe()).accept(np.zeros(RATE_HZ, np.float32))  # the first run is slower than the rest

    def prepare(self, request: Transcribe) -> Future[PieceStates] | None:
        return self._shelf.missing(request)

    def learning(self, request: Transcribe) -> Future[PieceStates] | None:
        return self._shelf.want(request)

    def utterance(self, request: Transcribe) -> ConstrainedUtterance:
        return ConstrainedUtterance(self._transducer, self._vocabulary, self._shelf.get(request), self._width)

    def rest(self) -> None:
        self._shelf.trim()

    def counters(self) -> dict[str, float]:
        return {"grammar_compile_ms": self._shelf.compile_ms, "grammar_failed": self._shelf.failed}


@dataclass(slots=True)
class _Searches:
    """The searches of one utterance at one point of its audio."""

    grammar: Beam | None
    rival: FreeSearch
    """Free, with the same blank penalty."""
    free: FreeSearch

    def copy(self) -> _Searches:
        return _Searches(self.grammar and self.grammar.copy(), self.rival.copy(), self.free.copy())

    def all(self) -> list[Search]:
        return [search for search in (self.grammar, self.rival, self.free) if search is not None]


class ConstrainedUtterance:
    """One utterance. `flush` leads copies of encoder states and searches to an end; the originals go on unpadded."""

    def __init__(
        self, transducer: Transducer, vocabulary: Vocabulary, states: PieceStates | None, width: Width
    ) -> None:
        self._transducer = transducer
        self._readings = Readings(transducer, vocabulary, states)
        self._searches = _Searches(
            Beam(transducer, states, width) if states is not None else None,
            FreeSearch(transducer, vocabulary, width.blank_penalty, width.internal_lm),
            FreeSearch(transducer, vocabulary, FREE_BLANK_PENALTY),
        )
        self._features = Features()
        self._hiss = Hiss()
        self._encoder = transducer.states()
        self._encoded: list[Encoded] = []
        """All frames so far (32 kB a second), for the evidence of single words at the end."""
        self._waiting: Frames = np.zeros((0, BINS), np.float32)
        self._samples = 0
        self._quiet = True
        self._ended: tuple[int, Reading] | None = None

    def accept(self, samples: Samples) -> Partial | None:
        self._samples += len(samples)
        self._quiet = self._quiet and is_quiet(samples)
        self._waiting = np.concatenate([self._waiting, self._features.accept(self._hiss.added(samples) * GAIN)])
        decoded = False
        while len(self._waiting) >= self._transducer.window:
            encoded, self._encoder = self._transducer.encode(self._waiting[: self._transducer.window], self._encoder)
            advance(self._transducer, self._searches.all(), encoded)
            self._encoded.append(encoded)
            self._waiting = self._waiting[self._transducer.hop :]
            decoded = True
        if not decoded:
            return None
        if self._quiet:
            return None
        searches = self._searches
        return self._partial(self._readings.read(searches.grammar, searches.rival, searches.free), flushed=False)

    def flush(self) -> Partial:
        return self._partial(self._end(), flushed=True)

    def finish(self) -> Transcript:
        reading = self._end()
        return Transcript(
            text=reading.text if reading.complete or not self._readings.constrained else "",
            free_text=reading.free_text,
            confidence=reading.confidence,
            complete=reading.complete,
            alternatives=reading.alternatives[:MOST_ALTERNATIVES],
        )

    def _end(self) -> Reading:
        """What was said if silence follows; remembered until more samples come."""
        if self._ended is not None and self._ended[0] == self._samples:
            return self._ended[1]
        hop, window = self._transducer.hop, self._transducer.window
        windows = -(-(len(self._waiting) + TAIL_FRAMES) // hop)
        needed = (windows - 1) * hop + window - len(self._waiting)
        padded = np.concatenate([self._waiting, self._features.ending((needed + 2) * SHIFT)])
        searches, states, frames = self._searches.copy(), self._encoder, list(self._encoded)
        for at in range(windows):
            encoded, states = self._transducer.encode(padded[at * hop : at * hop + window], states)
            advance(self._transducer, searches.all(), encoded)
            frames.append(encoded)
        reading = self._readings.read(searches.grammar, searches.rival, searches.free, np.concatenate(frames))
        if self._quiet:
            reading = Reading("", "")  # with its blank penalty the grammar finds words in silence too
        self._ended = (self._samples, reading)
        return reading

    def _partial(self, reading: Reading, *, flushed: bool) -> Partial:
        return Partial(
            text=reading.text,
            audio_ms=self._samples * 1000 // RATE_HZ,
            free_text=reading.free_text,
            confidence=reading.confidence,
            complete=reading.complete,
            extendable=reading.extendable,
            slots_ahead=reading.slots_ahead,
            more_expected=reading.behind > LONGER_FITS,
            flushed=flushed,
            alternatives=reading.alternatives[:MOST_ALTERNATIVES] if flushed else (),
        )
