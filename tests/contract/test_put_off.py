"""Commands to be done later, said by neural voices: the command in them is heard as one of the home's, not as free text.

`pytest --log-cli-level=info` shows the counts.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from appliance.engines.stt.constrained import ConstrainedRecogniser
from appliance.engines.tts.libespeak import Espeak
from appliance.errors import TtsError
from appliance.intents.home import Area, Entity, Home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source
from appliance.settings.engines import SttSettings
from appliance.wire.stt import Transcribe
from tests.contract.test_stt_child import model
from tests.shared import MODELS, needs_shared
from tests.voices import Voice

pytestmark = [
    needs_shared,
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]
LOG = logging.getLogger(__name__)
HOME = Home(
    "Kitchen",
    (Area("Kitchen"), Area("Office")),
    (
        Entity("Bed Light", "light"),
        Entity("Garage Door", "cover"),
        Entity("Front Door", "lock"),
        Entity("TV", "media_player"),
    ),
)
SAID = {
    "turn off the bed light in five minutes": ("turn off the Bed Light", {"minutes": 5}),
    "turn off the TV after fifteen minutes": ("turn off the TV", {"minutes": 15}),
    "open the garage door in two minutes": ("open the Garage Door", {"minutes": 2}),
    "turn on the lights in the office in one hour": ("turn on the lights in the Office", {"hours": 1}),
    "in thirty seconds lock the front door": ("lock the Front Door", {"seconds": 30}),
    "in ten minutes turn on the TV": ("turn on the TV", {"minutes": 10}),
}


@pytest.mark.parametrize("voice", ["amy", "kristin"])
def test_commands_put_off_are_heard(voice: str, tmp_path: Path) -> None:
    try:
        speaker = Voice(MODELS / f"vits-sanotts-en_US-{voice}", Espeak())
    except TtsError as error:
        pytest.skip(str(error))
    source = grammar_source(HOME, "en")
    interpreter, recogniser = Interpreter(source, HOME), ConstrainedRecogniser(model(), SttSettings())
    request = Transcribe(language="en", grammar=str(source.write(tmp_path)))
    pending = recogniser.prepare(request)
    assert pending is not None and pending.result(60)
    wrong = []
    for text, (command, when) in SAID.items():
        utterance = recogniser.utterance(request)
        utterance.accept(speaker.say(text))
        meaning = interpreter.interpret(heard := utterance.finish().text)
        if meaning is None or meaning.slots != {"conversation_command": command, **when}:
            wrong.append(heard)
    LOG.info("%s: %d of %d, not %s", voice, len(SAID) - len(wrong), len(SAID), wrong)
    assert len(wrong) <= 1, wrong
