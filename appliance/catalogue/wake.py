"""In: a wake word and a folder, the user's or the installed package's. Out: the word's model with its hashes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from appliance.catalogue.stamp import sha256_of
from appliance.errors import ModelError
from appliance.wire.child import ModelFile

PACKAGE = "pymicro_wakeword"
KIND = "microwakeword"


def package_dir() -> Path | None:
    """Folder of the models in the installed pymicro-wakeword, found without importing it (that loads a library)."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models"


def wake_from(folder: Path, word: str) -> ModelFile | None:
    """The model WORD.tflite with its WORD.json in `folder`; None where neither is there.

    Hashes both (60 kB). Raises ModelError where only one of the two is there.
    """
    files = {"model": folder / f"{word}.tflite", "config": folder / f"{word}.json"}
    there = {role: path for role, path in files.items() if path.is_file()}
    if not there:
        return None
    for role, path in files.items():
        if role not in there:
            raise ModelError("bad-file", f"The wake word '{word}' lacks its file {path}.")
    hashes = {role: sha256_of(path) for role, path in files.items()}
    return ModelFile(
        name=word, kind=KIND, language="und", files={r: p.resolve() for r, p in files.items()}, sha256=hashes
    )
