"""Names of other languages in an English home, said by an English voice: heard and understood, and nothing else suffers.

The voice gets espeak-ng's sounds of the name, those that English lacks as their neighbours: an English speaker who says it.
`pytest --log-cli-level=info` shows the counts.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from pathlib import Path

import pytest

from appliance.engines.stt.protocol import Samples
from appliance.intents.home import Area, Entity, Home
from tests.shared import needs_shared
from tests.voices import heard_in, speaker_or_skip

pytestmark = [
    needs_shared,
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]
LOG = logging.getLogger(__name__)
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
HOME = Home(
    "Kitchen",
    (Area("Kitchen"), Area("Bedroom")),
    (
        *(Entity(name, "light") for _, name in FOREIGN),
        *(Entity("Floor lamp", "light"), Entity("Garage door", "cover"), Entity("Front door", "lock")),
    ),
)


@pytest.mark.parametrize("voice", ["amy", "kristin"])
def test_foreign_names_are_understood_when_said_in_english(voice: str, tmp_path: Path) -> None:
    speaker, (interpreter, hear) = speaker_or_skip(voice), heard_in(HOME, tmp_path)

    def understood(samples: Samples) -> tuple[str, str] | None:
        meaning = interpreter.interpret(hear(samples))
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
