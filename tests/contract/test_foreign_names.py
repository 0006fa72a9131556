"""Names of other languages in an English home, said by an English voice: heard and understood, and nothing else suffers.

The voice gets espeak-ng's sounds of the name, those that English lacks as their neighbours: an English speaker who says it.
`pytest --log-cli-level=info` shows the counts.
"""

from __future__ import annotations

import logging
import shutil
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from appliance.engines.sound.resample import Resampler
from appliance.engines.stt.constrained import ConstrainedRecogniser
from appliance.engines.stt.seam import Samples
from appliance.engines.tts.libespeak import Espeak
from appliance.engines.tts.phonemes import tokens_of
from appliance.errors import TtsError
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source
from appliance.settings.engines import SttSettings
from appliance.wire.stt import Transcribe
from tests.contract.test_stt_child import model
from tests.shared import MODELS, needs_shared

pytestmark = [
    needs_shared,
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]
LOG = logging.getLogger(__name__)
RATE_HZ, VOICE_HZ = 16_000, 22_050
FOREIGN = (
    *(("ru", "Лампа"), ("ru", "Вентилятор"), ("ru", "Гостиная"), ("uk", "Світло"), ("el", "Κουζίνα"), ("el", "Σαλόνι")),
    *(("de", "Küche"), ("de", "Büro"), ("de", "Heizlüfter"), ("fr", "Lumière"), ("pl", "Łazienka"), ("sv", "Kök")),
)
CARRIERS = ("turn off the {}", "set the brightness of the {} to fifty percent")
ENGLISH = (
    "turn on the floor lamp",
    "open the garage door",
    "turn off the lights in the bedroom",
    "lock the front door",
)
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
HOME = Home(
    "Kitchen",
    (Area("Kitchen"), Area("Bedroom")),
    (
        *(Entity(name, "light") for _, name in FOREIGN),
        *(Entity("Floor lamp", "light"), Entity("Garage door", "cover"), Entity("Front door", "lock")),
    ),
)


class Voice:
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


@pytest.mark.parametrize("voice", ["amy", "kristin"])
def test_foreign_names_are_understood_when_said_in_english(voice: str, tmp_path: Path) -> None:
    try:
        speaker = Voice(MODELS / f"vits-sanotts-en_US-{voice}", Espeak())
    except TtsError as error:
        pytest.skip(str(error))
    source = grammar_source(HOME, "en")
    interpreter, recogniser = Interpreter(source, HOME), ConstrainedRecogniser(model(), SttSettings())
    request = Transcribe(language="en", grammar=str(source.write(tmp_path)))
    pending = recogniser.prepare(request)
    assert pending is not None and pending.result(60)

    def understood(samples: Samples) -> tuple[str, str] | None:
        utterance = recogniser.utterance(request)
        utterance.accept(samples)
        meaning = interpreter.interpret(utterance.finish().text)
        return None if meaning is None else (meaning.intent, str(sorted(meaning.slots.items())))

    def meant(text: str) -> tuple[str, str]:
        meaning = interpreter.interpret(text)
        assert meaning is not None, text
        return meaning.intent, str(sorted(meaning.slots.items()))

    right = Counter(
        understood(speaker.say(carrier, name, language)) == meant(carrier.format(name))
        for language, name in FOREIGN
        for carrier in CARRIERS
    )
    english = [understood(speaker.say(text)) == meant(text) for text in ENGLISH]
    LOG.info("%s: %d of %d with foreign names, %s English", voice, right[True], right.total(), english)
    assert right[True] >= 0.9 * right.total()
    assert all(english)
