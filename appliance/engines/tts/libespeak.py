"""In: text. Out: IPA phonemes or samples, from the system's libespeak-ng through ctypes.

libespeak-ng is GPL-3.0. It is Debian's shared library, found at run time and not part of this project; an image that
contains both is distributed under terms that satisfy the GPL (see models/README.md). Constants: espeak-ng's speak_lib.h.
"""

from __future__ import annotations

import ctypes
import re
import threading

import numpy as np

from appliance.engines.tts.protocol import NOTHING, Samples, Wanted
from appliance.errors import TtsError

LIBRARY = "libespeak-ng.so.1"
SYNCHRONOUS = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback, no sound card is opened."""
DONT_EXIT = 0x8000
"""espeakINITIALIZE_DONT_EXIT: a missing data folder is an error code, not the end of the process."""
UTF8 = 1
IPA = 2
RATE_PARAMETER = 1
WORDS_A_MINUTE = 165
"""espeak's own 175 is a little hasty for replies in a room."""
BUFFER_MS = 50

_LANGUAGE_SWITCH = re.compile(r"\([a-z]{2,3}(-[a-z0-9-]+)?\)")
"""espeak marks words it speaks in another language: '(en)wˈɜːd(de)'."""
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The library: one a process, one caller at a time (it keeps global state); calls wait for each other."""

    def __init__(self) -> None:
        """Loads and initialises the library, about 10 ms. Raises TtsError if it or its data is missing."""
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise TtsError("espeak-missing", "libespeak-ng is missing: install Debian's espeak-ng.") from error
        self.rate_hz = self._library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, None, DONT_EXIT)
        if self.rate_hz <= 0:
            raise TtsError("espeak-data", "libespeak-ng finds no data: install Debian's espeak-ng-data.")
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._lock = threading.Lock()
        self._voice = ""
        self._made: list[bytes] = []
        self._wanted: Wanted = lambda: True
        self._callback = _CALLBACK(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    @property
    def version(self) -> str:
        return bytes(self._library.espeak_Info(None) or b"?").decode()

    def has(self, voice: str) -> bool:
        """Whether the voice is installed (it becomes the current one)."""
        with self._lock:
            return self._select(voice)

    def phonemes(self, text: str, voice: str) -> str:
        """IPA of `text`, clause after clause, without punctuation. Raises TtsError if the voice is missing."""
        with self._lock:
            self._demand(voice)
            buffer = ctypes.create_string_buffer(text.encode())
            at = ctypes.c_void_p(ctypes.addressof(buffer))
            clauses = []
            while at.value:
                ipa = self._library.espeak_TextToPhonemes(ctypes.byref(at), UTF8, IPA)
                clauses.append((ipa or b"").decode("utf-8", "replace").strip())
        return _LANGUAGE_SWITCH.sub("", " ".join(clause for clause in clauses if clause))

    def samples(self, text: str, voice: str, speed: float, wanted: Wanted) -> Samples:
        """Speech of `text` at `rate_hz`, cut short once it is not wanted. Raises TtsError."""
        with self._lock:
            self._demand(voice)
            self._library.espeak_SetParameter(RATE_PARAMETER, round(WORDS_A_MINUTE * speed), 0)
            self._made, self._wanted = [], wanted
            data = text.encode()
            failed = self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8, None, None)
            made, self._made = self._made, []
        if failed:
            raise TtsError("espeak-failed", f"espeak-ng could not speak (error {failed}).")
        return np.frombuffer(b"".join(made), np.int16) if made else NOTHING

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._made.append(ctypes.string_at(samples, 2 * count))
        return 0 if self._wanted() else 1

    def _select(self, voice: str) -> bool:
        if self._voice != voice and self._library.espeak_SetVoiceByName(voice.encode()) == 0:
            self._voice = voice
        return self._voice == voice

    def _demand(self, voice: str) -> None:
        if not self._select(voice):
            raise TtsError("espeak-voice", f"espeak-ng has no voice '{voice}': is espeak-ng-data complete?")


def espeak_voice(language: str) -> str:
    """espeak's name of a BCP 47 language: 'en-US' → 'en-us', 'de-DE' → 'de'."""
    name = language.lower().replace("_", "-")
    if name in ("en", "en-us"):
        return "en-us"
    if name in ("en-gb", "es-419", "fr-be", "fr-ch", "pt-br"):
        return name
    return name.split("-")[0]
