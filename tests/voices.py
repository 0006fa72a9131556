"""In: the shared folder. Out: its small neural voices, as a model file and as what says a text, and what hears them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from appliance.engines.sound.capture.resample import Resampler
from appliance.engines.stt.constrained import ConstrainedRecogniser
from appliance.engines.stt.protocol import Samples
from appliance.engines.tts.libespeak import Espeak
from appliance.engines.tts.phonemes import tokens_of
from appliance.errors import TtsError
from appliance.intents.home import Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source
from appliance.settings.engines import SttSettings
from appliance.wire.child import ModelFile
from appliance.wire.stt import Transcribe
from tests.contract.test_stt_child import model
from tests.shared import MODELS

RATE_HZ, VOICE_HZ = 16_000, 22_050
NEIGHBOURS = {
    "y": "uː",
    "ʏ": "ʊ",
    "ø": "ɜː",
    "œ": "ɜː",
    "e": "eɪ",
    "o": "oʊ",
    "a": "ɑː",
    "ɨ": "ɪ",
    "ç": "ʃ",
    "x": "h",
    "χ": "h",
    "ʁ": "ɹ",
    "r": "ɹ",
    "ɾ": "ɹ",
    "ɭ": "l",
    "ɕ": "ʃ",
    "ʂ": "ʃ",
    "ʑ": "ʒ",
    "ʐ": "ʒ",
    "ʲ": "j",
    "ɲ": "nj",
    "ɡ": "ɡ",
}
"""Sounds that English voices lack, and what an English speaker says for them."""


def amy() -> ModelFile:
    """A distilled English voice of 5.8 MB."""
    files = {
        role: MODELS / "vits-sanotts-en_US-amy" / name
        for role, name in (("model", "model.onnx"), ("tokens", "tokens.txt"))
    }
    sha256 = {role: hashlib.sha256(file.read_bytes()).hexdigest() for role, file in files.items()}
    return ModelFile(name="vits-sanotts-en_US-amy", kind="vits", language="en-US", files=files, sha256=sha256)


class TtsClient:
    """A Piper voice that is given sounds."""

    def __init__(self, folder: Path, library: Espeak) -> None:
        runtime: Any = onnxruntime
        self._library, self._ids = library, tokens_of(folder / "tokens.txt")
        self._network = runtime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])

    def say(self, carrier: str, name: str = "", language: str = "en-us") -> Samples:
        before, _, after = carrier.partition("{}")
        foreign = unicodedata.normalize("NFC", self._library.phonemes(name, language)) if name else ""
        near = "".join(NEIGHBOURS.get(sound, sound) for sound in foreign).replace("ːː", "ː")
        parts = (self._english(before), near, self._english(after))
        sounds = unicodedata.normalize("NFD", " ".join(part for part in parts if part) + ".")
        ids = self._ids.of("".join(sound for sound in sounds if sound in self._ids.symbols))
        scales = np.array([0.667, 1.0, 0.8], np.float32)
        given = {"input": ids[None], "input_lengths": np.array([len(ids)], np.int64), "scales": scales}
        resampler = Resampler(VOICE_HZ, RATE_HZ)
        made = np.rint(np.clip(self._network.run(None, given)[0].ravel(), -1, 1) * 32767).astype(np.int16)
        whole = np.concatenate([np.zeros(RATE_HZ // 5), resampler.take(made), resampler.flush()])
        return (whole / 32768).astype(np.float32)

    def _english(self, words: str) -> str:
        return self._library.phonemes(words, "en-us") if words.strip() else ""


def speaker_or_skip(name: str) -> TtsClient:
    """The shared voice `name`; the test is skipped where espeak-ng's library is not at hand."""
    try:
        return TtsClient(MODELS / f"vits-sanotts-en_US-{name}", Espeak())
    except TtsError as error:
        pytest.skip(str(error))


def heard_in(home: Home, folder: Path) -> tuple[Interpreter, Callable[[Samples], str]]:
    """What understands texts in an English `home`, and what its recogniser makes of samples."""
    source = grammar_source(home, "en")
    recogniser = ConstrainedRecogniser(model(), SttSettings())
    request = Transcribe(language="en", grammar=str(source.write(folder)))
    pending = recogniser.prepare(request)
    assert pending is not None and pending.result(60)

    def hear(samples: Samples) -> str:
        utterance = recogniser.utterance(request)
        utterance.accept(samples)
        return utterance.finish().text

    return Interpreter(source, home), hear
