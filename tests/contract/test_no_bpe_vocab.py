"""A model without `bpe.vocab`: the constrained search needs none; hotwords are refused with the reason, and nothing ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from appliance.engines.recordings import load
from appliance.engines.stt.constrained import ConstrainedRecogniser
from appliance.engines.stt.protocol import Recogniser
from appliance.engines.stt.sherpa import SherpaRecogniser
from appliance.intents.home import load_home
from appliance.intents.source import grammar_source
from appliance.settings.engines import SttSettings
from appliance.wire.child import ModelFile
from appliance.wire.stt import Transcribe, Transcript
from tests.contract.test_stt_child import model
from tests.shared import AUDIO, needs_shared

pytestmark = needs_shared
HOME = AUDIO / "commands/home"


def bare() -> ModelFile:
    whole = model()
    files = {role: file for role, file in whole.files.items() if role != "bpe_vocab"}
    return replace(whole, files=files)


def heard(recogniser: Recogniser, request: Transcribe) -> Transcript:
    if (pending := recogniser.prepare(request)) is not None:
        pending.result(30)
    samples = load(sorted(HOME.glob("lock*.flac"))[0]).astype(np.float32) / np.float32(32768)
    utterance = recogniser.utterance(request)
    utterance.accept(samples)
    return utterance.finish()


def test_the_grammar_engine_needs_none(tmp_path: Path) -> None:
    home = load_home(HOME / "home.json")
    request = Transcribe(language="en", grammar=str(grammar_source(home, "en").write(tmp_path)))
    with_it = heard(ConstrainedRecogniser(model(), SttSettings()), request)
    without = heard(ConstrainedRecogniser(bare(), SttSettings()), request)
    assert without == with_it and without.text == "lock the Front Door"


def test_hotwords_are_refused_with_the_reason() -> None:
    recogniser = SherpaRecogniser(bare(), SttSettings())
    assert any("bpe.vocab" in note and "refused" in note for note in recogniser.notes)
    assert "door" in heard(recogniser, Transcribe(language="en", terms=("Front Door",))).text.casefold()
