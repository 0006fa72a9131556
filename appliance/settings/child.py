"""In: the supervisor's settings and the models it resolved. Out: one JSON file (0600) that a child is started with."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from appliance.settings import Settings


class ModelFile(BaseModel):
    """One model, ready to load: every path exists and its hash was checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name in the catalogue."""
    kind: str
    """transducer, pocketsphinx, vits, espeak, microwakeword, silero, …"""
    language: str
    """BCP 47; 'und' where it does not matter."""
    files: dict[str, Path]
    """Role (encoder, decoder, joiner, tokens, bpe_vocab, model, …) → file."""
    sha256: dict[str, str]
    """Role → SHA-256 of the file, hexadecimal."""


class Models(BaseModel):
    """The models of a run. None where only a starter engine is at hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stt: ModelFile | None = None
    tts: ModelFile | None = None
    vad: ModelFile | None = None
    wake: tuple[ModelFile, ...] = ()


class ChildConfig(BaseModel):
    """What a child is told: all settings, the models, and where its socket is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings
    models: Models

    def write(self, file: Path) -> None:
        """Writes JSON to `file`, readable by its owner only."""
        file.touch(mode=0o600)
        file.write_text(self.model_dump_json(), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> ChildConfig:
        """Reads what `write` wrote."""
        tree = json.loads(file.read_text(encoding="utf-8"))
        return cls(settings=Settings.model_validate(tree["settings"]), models=Models.model_validate(tree["models"]))
