"""Commands to be done later, said by neural voices: the command in them is heard as one of the home's, not as free text.

`pytest --log-cli-level=info` shows the counts.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from appliance.intents.home import Area, Entity, Home
from tests.shared import needs_shared
from tests.voices import heard_in, speaker_or_skip

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
    speaker, (interpreter, hear) = speaker_or_skip(voice), heard_in(HOME, tmp_path)
    wrong = []
    for text, (command, when) in SAID.items():
        meaning = interpreter.interpret(heard := hear(speaker.say(text)))
        if meaning is None or meaning.slots != {"conversation_command": command, **when}:
            wrong.append(heard)
    LOG.info("%s: %d of %d, not %s", voice, len(SAID) - len(wrong), len(SAID), wrong)
    assert len(wrong) <= 1, wrong
