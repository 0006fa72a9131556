"""No library that a process of ours loads reports to its maker: it is told so before it is loaded, whoever loads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOUD = re.compile(r"^\s*(?:import|from) (?:onnxruntime|sherpa_onnx)\b", re.MULTILINE)
SPY = "import os, sys\nsys.stdout.write(os.environ.get('ORT_DISABLE_TELEMETRY', 'unset'))\nsys.stdout.flush()\nos._exit(0)\n"


@pytest.mark.parametrize("before", [None, "0", ""])
@pytest.mark.parametrize("module", ["appliance.engines.tts.vits", "appliance.engines.stt.network"])
def test_a_library_finds_the_wish_when_it_is_loaded(module: str, before: str | None, tmp_path: Path) -> None:
    """A spy in onnxruntime's place says what its environment held at that moment."""
    (tmp_path / "onnxruntime.py").write_text(SPY)
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    if before is not None:
        environment["ORT_DISABLE_TELEMETRY"] = before
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{ROOT}"
    said = subprocess.run(
        [sys.executable, "-c", f"import {module}"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert said.stdout == "1", said.stderr


def test_the_wish_is_in_the_environment_that_native_code_and_children_see() -> None:
    import appliance  # noqa: F401 - its import is what is tested

    code = "import ctypes; get = ctypes.CDLL(None).getenv; get.restype = ctypes.c_char_p"
    code += "; print(get(b'ORT_DISABLE_TELEMETRY'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert said.stdout.strip() == "b'1'"


def test_nobody_loads_such_a_library_before_the_package() -> None:
    """Inside of it and of the tests, its first lines have run; a program elsewhere must import it itself."""
    assert "import appliance" in (ROOT / "tests" / "__init__.py").read_text(encoding="utf-8")
    for file in (*ROOT.glob("*.py"), *(ROOT / "scripts").rglob("*"), *(ROOT / "models").rglob("*.py")):
        if file.is_file() and (loads := LOUD.search(text := file.read_text(encoding="utf-8", errors="replace"))):
            first = re.search(r"^\s*(?:import|from) appliance\b", text, re.MULTILINE)
            assert first is not None and first.start() < loads.start(), file
