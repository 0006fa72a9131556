"""In: samples and hotwords. Out: free text from any streaming model of sherpa-onnx.

Three combinations end the process instead of raising (seen with 2.0.1): hotwords on a model that is no transducer,
beam search on a NeMo transducer, and `modeling_unit="bpe"` without a bpe.vocab. They are never tried here.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sherpa_onnx

from appliance.engines.stt.hiss import Hiss
from appliance.engines.stt.loudness import is_quiet
from appliance.engines.stt.onnx_facts import facts_of
from appliance.engines.stt.protocol import RATE_HZ, Samples
from appliance.errors import SttError
from appliance.wire.child import ModelFile
from appliance.wire.stt import Partial, Transcribe, Transcript

if TYPE_CHECKING:
    from appliance.settings.engines import SttSettings

LOG = logging.getLogger(__name__)

TAIL_S = 0.8
"""Silence behind the last sample: a streaming model says its last word only once its right context is filled."""
HOTWORD_SCORE = 1.5
"""Boost a token, natural log; sherpa-onnx's own default, best of 1.0, 1.5, 2.0 on spoken home commands."""
MOST_TERMS = 1000
"""Hotwords an utterance: building the context graph costs about 1 ms a hundred."""
TRANSDUCERS = ("zipformer", "zipformer2", "conformer", "lstm")
"""model_type of transducers that sherpa-onnx can search with a beam."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a model may be driven without ending the process."""

    hotwords: bool
    beam: bool
    notes: tuple[str, ...]


def _plan(model: ModelFile) -> _Plan:
    """Decides what is tried with `model`; a refusal comes with its reason."""
    if model.kind != "transducer":
        return _Plan(False, False, (f"Hotwords are refused: {model.name} is no transducer.",))
    kind = facts_of(model.files["encoder"]).get("model_type", "")
    if kind not in TRANSDUCERS:
        return _Plan(
            False, False, (f"Hotwords are refused: {model.name} ({kind or 'unknown type'}) has no beam search.",)
        )
    if "bpe_vocab" not in model.files:
        return _Plan(False, False, (f"Hotwords are refused: {model.name} has no bpe.vocab.",))
    return _Plan(True, True, ())


def _load(model: ModelFile, plan: _Plan, threads: int) -> Any:
    files = {role: str(path) for role, path in model.files.items()}
    common: dict[str, Any] = {"tokens": files["tokens"], "num_threads": threads, "sample_rate": RATE_HZ}
    builders: Any = sherpa_onnx.OnlineRecognizer  # type: ignore[attr-defined]
    if model.kind == "paraformer":
        return builders.from_paraformer(encoder=files["encoder"], decoder=files["decoder"], **common)
    if model.kind == "zipformer2-ctc":
        return builders.from_zipformer2_ctc(model=files["model"], **common)
    if model.kind == "nemo-ctc":
        return builders.from_nemo_ctc(model=files["model"], **common)
    if model.kind != "transducer":
        raise SttError("model-unknown", f"{model.name} is of kind '{model.kind}', which no recogniser here can run.")
    if plan.beam:
        common |= {"decoding_method": "modified_beam_search", "max_active_paths": 8, "hotwords_score": HOTWORD_SCORE}
    if plan.hotwords:
        common |= {"modeling_unit": "bpe", "bpe_vocab": files["bpe_vocab"]}
    parts = {role: files[role] for role in ("encoder", "decoder", "joiner")}
    return builders.from_transducer(**parts, **common)


class SherpaRecogniser:
    """Free text. Raises ModelError or SttError where the model cannot be loaded."""

    name = "sherpa"

    def __init__(self, model: ModelFile, settings: SttSettings) -> None:
        for role, file in model.files.items():
            if not file.is_file():
                raise SttError("model-missing", f"{model.name}: the file for '{role}' is not there ({file.name}).")
        self._plan = _plan(model)
        try:
            self._recognizer = _load(model, self._plan, settings.threads)
        except (KeyError, RuntimeError, ValueError) as error:
            raise SttError("model-refused", f"{model.name} cannot be loaded: {error}.") from error
        self.model: str | None = model.name
        self.versions = {"sherpa-onnx": version("sherpa-onnx")}
        self.notes = self._plan.notes
        self._letters = _letters(model.files["tokens"])
        self._refused_terms = 0
        self.utterance(Transcribe()).accept(np.zeros(RATE_HZ, np.float32))  # the first run is slower than the rest

    def prepare(self, request: Transcribe) -> Future[Any] | None:
        return None

    def learning(self, request: Transcribe) -> Future[Any] | None:
        return None

    def utterance(self, request: Transcribe) -> SherpaUtterance:
        hotwords = self._hotwords(request.terms) if self._plan.hotwords else ""
        return SherpaUtterance(self._recognizer, hotwords)

    def rest(self) -> None:
        """Streams end with their utterances."""

    def counters(self) -> dict[str, float]:
        return {"refused_terms": self._refused_terms}

    def _hotwords(self, terms: tuple[str, ...]) -> str:
        """The terms the model can spell, in its own case, in sherpa-onnx's form."""
        usable = []
        for term in terms[:MOST_TERMS]:
            text = " ".join(term.upper().split()) if "A" in self._letters else " ".join(term.lower().split())
            if text and set(text) - {" "} <= self._letters:
                usable.append(text)
        self._refused_terms += len(terms) - len(usable)
        return "/".join(usable)


def _letters(tokens: Path) -> frozenset[str]:
    """Characters that some piece of the model consists of."""
    lines = tokens.read_text(encoding="utf-8").splitlines()
    pieces = (line.rsplit(maxsplit=1)[0] for line in lines if len(line.split()) == 2 and not line.startswith("<"))
    return frozenset("".join(pieces)) - {"\u2581"}


class SherpaUtterance:
    """One stream. `flush` decodes a second stream over the kept audio, so that nothing is lost if speech goes on."""

    def __init__(self, recognizer: Any, hotwords: str) -> None:
        self._recognizer = recognizer
        self._hotwords = hotwords
        self._stream = self._open()
        self._hiss = Hiss()
        self._kept: list[Samples] = []
        self._samples = 0
        self._quiet = True

    def _open(self) -> Any:
        return (
            self._recognizer.create_stream(hotwords=self._hotwords)
            if self._hotwords
            else self._recognizer.create_stream()
        )

    def _run(self, stream: Any) -> bool:
        ran = False
        while self._recognizer.is_ready(stream):
            self._recognizer.decode_stream(stream)
            ran = True
        return ran

    def _text(self, stream: Any) -> str:
        if self._quiet:
            return ""
        return " ".join(str(self._recognizer.get_result(stream)).lower().split())

    def accept(self, samples: Samples) -> Partial | None:
        self._samples += len(samples)
        self._quiet = self._quiet and is_quiet(samples)
        samples = self._hiss.added(samples)
        self._kept.append(samples)
        self._stream.accept_waveform(RATE_HZ, samples)
        return self._partial(self._stream, flushed=False) if self._run(self._stream) else None

    def flush(self) -> Partial:
        stream = self._open()
        stream.accept_waveform(RATE_HZ, np.concatenate([*self._kept, np.zeros(int(TAIL_S * RATE_HZ), np.float32)]))
        stream.input_finished()
        self._run(stream)
        return self._partial(stream, flushed=True)

    def finish(self) -> Transcript:
        self._stream.accept_waveform(RATE_HZ, np.zeros(int(TAIL_S * RATE_HZ), np.float32))
        self._stream.input_finished()
        self._run(self._stream)
        text = self._text(self._stream)
        return Transcript(text=text, free_text=text)

    def _partial(self, stream: Any, *, flushed: bool) -> Partial:
        text = self._text(stream)
        return Partial(text=text, free_text=text, audio_ms=self._samples * 1000 // RATE_HZ, flushed=flushed)
