"""In: a word in letter form. Out: its sounds, from the system's libespeak-ng."""

from __future__ import annotations

from functools import lru_cache

from appliance.engines.tts.libespeak import Espeak, espeak_voice
from appliance.errors import SttError, TtsError
from appliance.grammar.lexicon.sounds import Sound, signs

MOST_WORDS = 8192


def pronouncer(language: str) -> Sound:
    """What says words of `language`; 0.1 ms a word, on any thread. Raises SttError without espeak-ng or its voice."""
    voice = espeak_voice(language)
    try:
        library = Espeak()
        library.phonemes("", voice)
    except TtsError as error:
        raise SttError("no-sounds", f"How words of '{language}' are said is not known here: {error.message}") from error

    @lru_cache(MOST_WORDS)
    def sound(word: str) -> str:
        return signs(library.phonemes(word, voice))

    return sound
