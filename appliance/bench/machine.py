"""In: this machine. Out: what a figure needs beside it: processor, memory, system, versions, hashes of the models."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import psutil

from appliance import __version__
from appliance.wire.child import ModelFile, Models

PI5_CORE_SLOWER = 3.0
"""MEASURES: a Raspberry Pi 5 core is taken to be this much slower than a core of the development machine."""
LIBRARIES = (
    "numpy", "sherpa-onnx", "onnxruntime", "ai-edge-litert", "pymicro-features", "pymicro-wakeword",
    "pocketsphinx", "hassil", "home-assistant-intents", "wyoming", "livekit", "kaldi-native-fbank", "pyalsaaudio",
)  # fmt: skip
"""What a figure can depend on."""


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, Python; `load_1min` tells whether others were at work."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "os": _system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "architecture": platform.machine(),
        "load_1min": round(os.getloadavg()[0], 2),
        "pi5_projection": f"a core {PI5_CORE_SLOWER:g} times slower",
    }


def versions() -> dict[str, str]:
    """The program's and the libraries' versions; those that are not installed are left out."""
    found = {"appliance": __version__}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def model_hashes(models: Models) -> dict[str, str]:
    """Model → SHA-256; a model of several files gives one line a file, `name/role`."""
    present = [model for model in (models.stt, models.tts, models.vad, *models.wake) if model is not None]
    return {name: digest for model in present for name, digest in _hashes(model)}


def _hashes(model: ModelFile) -> list[tuple[str, str]]:
    if len(model.sha256) == 1:
        return [(model.name, next(iter(model.sha256.values())))]
    return [(f"{model.name}/{role}", digest) for role, digest in sorted(model.sha256.items())]


def _cpu() -> str:
    """The processor's name; on ARM the board's, because /proc/cpuinfo names none there."""
    for file, key in ((Path("/proc/device-tree/model"), ""), (Path("/proc/cpuinfo"), "model name")):
        if not file.is_file():
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if not key:
                return line.strip("\0 ")
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
