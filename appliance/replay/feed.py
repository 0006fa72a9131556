"""In: settings. Out: the settings of a run of its own whose microphone is a feed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appliance.app import private_folders
from appliance.settings import Settings


def feed_settings(
    settings: Settings, folder: Path, speed: float, home: Path | None = None, sentences: Sequence[Path] = ()
) -> Settings:
    """The settings of a run whose microphone is a feed; `speed` 0 is as fast as can be."""
    settings = private_folders(settings, folder)
    sound = settings.sound.model_copy(update={"source": "feed", "feed_speed": speed})
    intents = settings.intents
    if home is not None:
        intents = intents.model_copy(update={"home_file": home})
    if sentences:
        intents = intents.model_copy(update={"sentences": (*intents.sentences, *sentences)})
    return settings.model_copy(update={"sound": sound, "intents": intents})
