"""In: the shared folder. Out: the small neural voice as a model file, ready for a child, as the catalogue would give it."""

from __future__ import annotations

import hashlib

from appliance.settings.child import ModelFile
from tests.shared import MODELS


def amy() -> ModelFile:
    """A distilled English voice of 5.8 MB."""
    files = {
        role: MODELS / "vits-sanotts-en_US-amy" / name
        for role, name in (("model", "model.onnx"), ("tokens", "tokens.txt"))
    }
    sha256 = {role: hashlib.sha256(file.read_bytes()).hexdigest() for role, file in files.items()}
    return ModelFile(name="vits-sanotts-en_US-amy", kind="vits", language="en-US", files=files, sha256=sha256)
