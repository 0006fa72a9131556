"""In: the name of a wake word. Out: its microWakeWord model and the facts of its JSON file."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import WakeError
from appliance.files import number, parse_json, read_text
from appliance.wire.child import ModelFile

if TYPE_CHECKING:
    from appliance.settings.sound import WakeSettings


MOST_WINDOW = 100
"""Probabilities: three seconds."""


@dataclass(frozen=True, slots=True)
class WakeModel:
    """One microWakeWord model on disk."""

    name: str
    file: Path
    cutoff: float
    """0..1, of the mean over the window."""
    window: int
    """Probabilities that are averaged."""

    def sha256(self) -> str:
        """Of the model file, hexadecimal."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def find(word: str, settings: WakeSettings, models: Sequence[ModelFile]) -> WakeModel:
    """The model of `word`: the catalogue's, else the owner's folder's, else the one that pymicro-wakeword carries.

    Raises WakeError naming the words that are there, or what is wrong with the files.
    """
    for model in models:
        if model.name == word or model.files["model"].stem == word:
            return _read(word, model.files["config"], model.files["model"])
    folders = [folder for folder in (settings.model_dir, _package_folder()) if folder is not None]
    for folder in folders:
        config = folder / f"{word}.json"
        if config.exists():
            return _read(word, config, None)
    known = sorted({file.stem for folder in folders for file in folder.glob("*.json")} | {m.name for m in models})
    raise WakeError("no-wake-model", f"There is no model of the wake word '{word}'; there is: {', '.join(known)}.")


def _package_folder() -> Path | None:
    """Folder of the models in pymicro-wakeword, found without importing it: its native library wants glibc 2.35."""
    spec = importlib.util.find_spec("pymicro_wakeword")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models"


def _read(word: str, config: Path, file: Path | None) -> WakeModel:
    try:
        tree = parse_json(read_text(config))
        micro = tree["micro"]
        model = WakeModel(
            word,
            file or config.parent / tree["model"],
            number(micro["probability_cutoff"], 0.0, 1.0),
            int(number(micro["sliding_window_size"], 1, MOST_WINDOW)),
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WakeError("bad-wake-model", f"{config} does not describe a microWakeWord model ({error}).") from error
    if not model.file.exists():
        raise WakeError("no-wake-model", f"The wake model {model.file} that {config.name} names is not there.")
    return model
