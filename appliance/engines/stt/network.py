"""In: an ONNX file. Out: its network, loaded from onnxruntime's own form of it, which is made once and kept in a folder.

That form is optimised already: it loads in 0.15 s instead of 0.3, and holds 4 MB less, since no parsed ONNX graph stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
from pathlib import Path
from typing import Any

import onnxruntime

from appliance.errors import SttError

LOG = logging.getLogger(__name__)

SUFFIX, PART = ".ort", ".part"
DIGEST = 16
"""Hexadecimal digits of a hash in a file's name."""


def open_network(file: Path, threads: int, sha256: str = "", folder: Path | None = None) -> Any:
    """The network in `file`. `folder`: where its loaded form is kept, if `sha256` of `file` is known; any trouble there costs
    memory only. Raises SttError where `file` cannot be loaded. Blocks."""
    if folder is not None and sha256:
        kept = _kept(file, sha256, folder)
        if kept is None:
            _keep(file, sha256, folder)
            kept = _kept(file, sha256, folder)
        if kept is not None:
            with contextlib.suppress(SttError):  # there is the model itself
                return _session(kept, _options(threads))
    return _session(file, _options(threads))


def _session(file: Path, options: Any) -> Any:
    runtime: Any = onnxruntime
    try:
        return runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise SttError("model-refused", f"{file.name} cannot be loaded: {str(error)[:120]}.") from error


def _options(threads: int) -> Any:
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # 30 MB less, and no slower for networks this small
    return options


def _kept(file: Path, sha256: str, folder: Path) -> Path | None:
    """The kept form of `file`, where there is one that is whole: its own hash is the last part of its name."""
    for found in folder.glob(f"{_name(file, sha256)}.*{SUFFIX}"):
        with contextlib.suppress(OSError):
            if found.suffixes[-2:] == [f".{_digest(found.read_bytes())}", SUFFIX]:
                return found
    return None


def _keep(file: Path, sha256: str, folder: Path) -> None:
    """Makes the form and removes older ones of the same model file. 0.4 s."""
    made = folder / f"{file.stem}.{os.getpid()}{PART}"
    options = _options(1)
    options.optimized_model_filepath = str(made)
    options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        older = [each for ending in (SUFFIX, PART) for each in folder.glob(f"{file.stem}.*{ending}")]
        _session(file, options)
        kept = made.rename(folder / f"{_name(file, sha256)}.{_digest(made.read_bytes())}{SUFFIX}")
        for each in older:
            if each != kept:
                each.unlink(missing_ok=True)
    except (OSError, SttError) as error:
        LOG.warning("The loaded form of %s is not kept: %s", file.name, error)
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)


def _name(file: Path, sha256: str) -> str:
    """The form depends on the model, the library, and what the CPU can do, on which the layout of weights is chosen."""
    facts = (sha256, onnxruntime.__version__, platform.machine(), _abilities())
    return f"{file.stem}.{_digest(' '.join(facts).encode())}"


def _abilities() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.split("\t")[0].strip() in ("flags", "Features"):
                return line
    return ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST]
