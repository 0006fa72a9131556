"""In: 32 ms blocks of microphone audio. Out: Porcupine's verdicts as scores of 0 or 1."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from appliance.engines.sound.wake.protocol import Word
from appliance.errors import WakeError

if TYPE_CHECKING:
    from appliance.settings.sound import WakeSettings

CREDENTIAL = "porcupine"
"""Name of the systemd credential that holds the access key."""


class Porcupine:
    """Picovoice's engine: it decides by itself and gives no scores, so a word's cutoff sets its sensitivity instead."""

    name = "porcupine"
    library = "pvporcupine"
    tail_ms = 100

    def __init__(self, settings: WakeSettings) -> None:
        """Raises WakeError with what the library says: no key, refused key, unknown word, not installed."""
        try:
            import pvporcupine
        except (ImportError, NotImplementedError) as error:
            raise WakeError(
                "no-porcupine", f"Porcupine does not run here ({error}); install the extra 'porcupine'."
            ) from error
        key = access_key(settings.access_key_file)
        words = [word.replace("_", " ") for word in settings.words]
        sensitivities = [1.0 - settings.cutoffs.get(word, 0.5) for word in settings.words]
        named: Any = _keywords(settings, words)
        try:
            self._porcupine: Any = pvporcupine.create(access_key=key, sensitivities=sensitivities, **named)
        except pvporcupine.PorcupineError as error:
            raise WakeError("porcupine-refused", _sentence(error)) from error
        except (OSError, ValueError, KeyError) as error:
            raise WakeError("porcupine-failed", f"Porcupine cannot start: {error}.") from error
        self.step = int(self._porcupine.frame_length)
        self.words = tuple(Word(word, 0.5) for word in settings.words)
        self.latest: tuple[float, ...] = ()
        self.problems: dict[str, str] = {}

    def take(self, audio: bytes) -> tuple[float, ...] | None:
        heard = self._porcupine.process(np.frombuffer(audio, dtype=np.int16))
        self.latest = tuple(1.0 if index == heard else 0.0 for index in range(len(self.words)))
        return self.latest

    def reset(self) -> None:
        self._porcupine.process(np.zeros(self.step, dtype=np.int16))  # the library has no reset


def access_key(file: Path | None) -> str:
    """The key from `file`, else from the systemd credential. Raises WakeError naming where it was looked for."""
    if file is None:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise WakeError("no-access-key", "Porcupine wants an access key: set wake.access_key_file.")
        file = Path(folder) / CREDENTIAL
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WakeError("no-access-key", f"The access key in {file} cannot be read.") from error
    if not key:
        raise WakeError("no-access-key", f"The access key file {file} is empty.")
    return key


def _keywords(settings: WakeSettings, words: list[str]) -> dict[str, list[str]]:
    """Trained words from the owner's folder (NAME.ppn) if all are there, else the library's own by name."""
    if settings.model_dir is not None:
        files = [settings.model_dir / f"{word}.ppn" for word in settings.words]
        if all(file.exists() for file in files):
            return {"keyword_paths": [str(file) for file in files]}
    return {"keywords": words}


def _sentence(error: Exception) -> str:
    """The library's own words in one sentence; it writes several lines, the first one with the reason."""
    text = str(error).strip().splitlines()
    reason = text[0] if text else type(error).__name__.removeprefix("Porcupine")
    return f"Porcupine refused to start ({type(error).__name__.removeprefix('Porcupine')}): {reason.rstrip('.')}."
