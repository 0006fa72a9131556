"""In: the folder `shared` beside the project. Out: its real models and recordings, or a reason to skip."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
MODELS = SHARED / "models"
AUDIO = SHARED / "audio"

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="no ../shared with real models and recordings here")
