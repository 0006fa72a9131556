"""In: a short text. Out: samples of a Piper/VITS voice: phonemes from outside, the network in onnxruntime.

Without sherpa-onnx, because 2.0.1 with its onnxruntime 1.28 takes 0.0505 of a core where onnxruntime 1.31 takes 0.0405, for
samples that are the same to the last bit.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import onnxruntime

from appliance.engines.stt.onnx_facts import facts_of
from appliance.engines.tts.libespeak import Espeak, espeak_voice
from appliance.engines.tts.phonemes import EspeakPhonemiser, tokens_of
from appliance.engines.tts.protocol import NOTHING, Samples, Wanted
from appliance.errors import ModelError, TtsError
from appliance.wire.child import ModelFile

ORT: Any = onnxruntime  # it has no types
NOISE, WIDTH_NOISE = 0.667, 0.8
"""Piper's own variation of the sound and of the lengths (inference.noise_scale, noise_w)."""
WARM_UP = "Hello there, I am ready."
"""The first inference after loading is slower than the rest: it is made before anyone waits."""


class VitsSpeaker:
    """One neural voice."""

    name = "vits"

    def __init__(self, model: ModelFile, speed: float, threads: int, library: Espeak) -> None:
        """Loads the network and speaks once. Blocks. Raises ModelError for files that cannot be used, TtsError."""
        self._file, self._speed, self._threads, self._library = model, speed, threads, library
        facts = _checked(model)
        self.model = model.name
        self.language = model.language
        self.rate_hz = int(facts["sample_rate"])
        self.identity = (model.name, model.sha256.get("model", ""), f"{speed:g}")
        self.versions = {"onnxruntime": version("onnxruntime"), "espeak-ng": library.version}
        self.notes: tuple[str, ...] = ()
        voice = facts.get("voice") or espeak_voice(model.language)
        self._ids = tokens_of(model.files["tokens"])
        self._phonemiser = EspeakPhonemiser(library, voice, self._ids.symbols)
        self._network = _load(model, threads)
        self.speak(WARM_UP, lambda: True)

    def speak(self, text: str, wanted: Wanted) -> Samples:
        if not wanted() or not (phonemes := self._phonemiser.phonemes(text)):
            return NOTHING
        ids = self._ids.of(phonemes)
        scales = np.array([NOISE, 1.0 / self._speed, WIDTH_NOISE], np.float32)
        given = {"input": ids[None], "input_lengths": np.array([len(ids)], np.int64), "scales": scales}
        try:
            (made,) = self._network.run(None, given)
        except Exception as error:  # the library's errors have no narrower class in common
            raise TtsError("synthesis-failed", f"The voice {self.model} could not speak: {error}.") from error
        if not np.isfinite(made).all():
            raise TtsError("synthesis-failed", f"The voice {self.model} made no numbers.")
        whole: Samples = np.clip(np.rint(made.ravel() * 32767), -32768, 32767).astype(np.int16)
        return whole

    def background(self) -> VitsSpeaker:
        """With one thread the network runs on its caller's: the same serves an idle one. Else a second network does."""
        if self._threads == 1:
            return self
        return VitsSpeaker(self._file, self._speed, 1, self._library)


def _checked(model: ModelFile) -> dict[str, str]:
    """The model's own facts. Refuses what the network could not be driven with."""
    if missing := {"model", "tokens"} - model.files.keys():
        raise ModelError("model-incomplete", f"The voice {model.name} lacks its {' and '.join(sorted(missing))}.")
    facts = facts_of(model.files["model"])
    if facts.get("model_type", "vits") != "vits" or not facts.get("sample_rate", "").isdigit():
        raise ModelError("model-wrong", f"{model.files['model'].name} is no VITS voice with Piper's metadata.")
    if facts.get("n_speakers", "1") not in ("0", "1"):
        raise ModelError(
            "model-wrong", f"{model.files['model'].name} holds several speakers; voices of one are spoken."
        )
    return facts


def _load(model: ModelFile, threads: int) -> Any:
    options = ORT.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # lengths differ: a pattern a length only keeps 40 MB more after 5 s of speech
    try:
        return ORT.InferenceSession(str(model.files["model"]), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError("model-unloadable", f"The voice {model.name} cannot be loaded: {error}.") from error
