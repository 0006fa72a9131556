"""In: a short text. Out: samples of espeak-ng's own voice: the starter engine, for a machine without any download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.engines.tts.libespeak import Espeak, espeak_voice
from appliance.engines.tts.protocol import Samples, Wanted
from appliance.errors import TtsError

if TYPE_CHECKING:
    from appliance.settings.engines import TtsSettings

NOTE = "Speaks with the starter voice espeak-ng; `appliance models fetch` gets a natural one."


class EspeakSpeaker:
    """espeak-ng's formant voice: 2 ms of work a sentence, and sounds like it."""

    name = "espeak"
    model = None

    def __init__(self, language: str, settings: TtsSettings, library: Espeak) -> None:
        """Raises TtsError if espeak-ng does not speak `language` (BCP 47)."""
        self._voice = espeak_voice(language)
        if not library.has(self._voice):
            raise TtsError("espeak-voice", f"espeak-ng does not speak '{language}': change device.language.")
        self._library, self._speed = library, settings.speed
        self.language = language
        self.rate_hz = library.rate_hz
        self.identity = ("espeak", self._voice, library.version, f"{settings.speed:g}")
        self.versions = {"espeak-ng": library.version}
        self.notes = (NOTE,)

    def speak(self, text: str, wanted: Wanted) -> Samples:
        return self._library.samples(text, self._voice, self._speed, wanted)

    def background(self) -> EspeakSpeaker:
        return self
