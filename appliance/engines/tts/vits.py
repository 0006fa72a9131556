"""In: a short text. Out: samples of a Piper/VITS voice: phonemes from outside, the network in sherpa-onnx."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import sherpa_onnx

from appliance.engines.stt.onnx_facts import facts_of
from appliance.engines.tts.libespeak import Espeak, espeak_voice
from appliance.engines.tts.phonemes import EspeakPhonemiser, symbols_of
from appliance.engines.tts.seam import NOTHING, Samples, Wanted
from appliance.errors import ModelError, TtsError
from appliance.settings.child import ModelFile
from appliance.settings.engines import TtsSettings

SHERPA: Any = sherpa_onnx  # it has no types
WARM_UP = "Hello there, I am ready."
"""The first inference after loading is slower than the rest: it is made before anyone waits."""


class VitsSpeaker:
    """One neural voice."""

    name = "vits"

    def __init__(self, model: ModelFile, settings: TtsSettings, library: Espeak) -> None:
        """Loads the network and speaks once. Blocks. Raises ModelError for files that cannot be used, TtsError."""
        self._file, self._settings, self._library = model, settings, library
        facts = _checked(model)
        self.model = model.name
        self.language = model.language
        self.rate_hz = int(facts["sample_rate"])
        self.identity = (model.name, model.sha256.get("model", ""), f"{settings.speed:g}")
        self.versions = {"sherpa-onnx": version("sherpa-onnx"), "espeak-ng": library.version}
        self.notes: tuple[str, ...] = ()
        voice = facts.get("voice") or espeak_voice(model.language)
        self._phonemiser = EspeakPhonemiser(library, voice, symbols_of(model.files["tokens"]))
        self._network = _load(model, settings.threads)
        self.speak(WARM_UP, lambda: True)

    def speak(self, text: str, wanted: Wanted) -> Samples:
        if not wanted() or not (phonemes := self._phonemiser.phonemes(text)):
            return NOTHING
        how = SHERPA.GenerationConfig()
        how.speed = self._settings.speed
        how.silence_scale = 1.0  # silence is trimmed here, evenly for cached and new speech
        how.phoneme_codepoints = [[ord(symbol) for symbol in phonemes]]
        made: list[npt.NDArray[np.float32]] = []

        def take(samples: npt.NDArray[np.float32], _progress: float) -> int:
            made.append(samples.copy())  # the library's own memory
            return 1 if wanted() else 0

        try:
            self._network.generate(text, how, take)
        except RuntimeError as error:
            raise TtsError("synthesis-failed", f"The voice {self.model} could not speak: {error}.") from error
        samples = np.concatenate(made) if made else np.zeros(0, np.float32)
        if not np.isfinite(samples).all():
            raise TtsError("synthesis-failed", f"The voice {self.model} made no numbers.")
        whole: Samples = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
        return whole

    def background(self) -> VitsSpeaker:
        """A second network on one thread, whose whole work can be made idle priority with that thread."""
        return VitsSpeaker(self._file, self._settings.model_copy(update={"threads": 1}), self._library)


def _checked(model: ModelFile) -> dict[str, str]:
    """The model's own facts. Refuses before the native library can end the process over them."""
    if missing := {"model", "tokens"} - model.files.keys():
        raise ModelError("model-incomplete", f"The voice {model.name} lacks its {' and '.join(sorted(missing))}.")
    facts = facts_of(model.files["model"])
    if facts.get("model_type", "vits") != "vits" or not facts.get("sample_rate", "").isdigit():
        raise ModelError("model-wrong", f"{model.files['model'].name} is no VITS voice with Piper's metadata.")
    return facts


def _load(model: ModelFile, threads: int) -> Any:
    vits = SHERPA.OfflineTtsVitsModelConfig(model=str(model.files["model"]), tokens=str(model.files["tokens"]))
    network = SHERPA.OfflineTtsModelConfig(vits=vits, num_threads=threads)
    try:
        return SHERPA.OfflineTts(SHERPA.OfflineTtsConfig(model=network, max_num_sentences=1))
    except RuntimeError as error:
        raise ModelError("model-unloadable", f"The voice {model.name} cannot be loaded: {error}.") from error
