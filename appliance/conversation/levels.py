"""In: loudness of each voice, and mute. Out: the same after a restart: two small files, written when they change."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from appliance.files import Damaged, number, recall, table, text, write_atomic

log = logging.getLogger(__name__)

MOST_VOICES, MOST_NAME = 16, 32


class Levels:
    """Percent by voice (reply, chime, alarm)."""

    def __init__(self, file: Path, default_percent: int) -> None:
        """Reads `file`; a missing one counts as empty, a damaged one is put aside."""
        self._file = file
        self._default_percent = default_percent
        nothing: dict[str, int] = {}
        self._percent = recall(file, _levels, nothing)

    def percent(self, voice: str) -> int:
        """0..100."""
        return self._percent.get(voice, self._default_percent)

    def all(self) -> dict[str, int]:
        """Every voice that differs from the default, and the reply's own."""
        return {"reply": self.percent("reply"), **self._percent}

    def set(self, voice: str, percent: int) -> None:
        """Sets and saves; a disk that cannot be written is logged."""
        self._percent[voice] = max(0, min(100, percent))
        _save(self._file, self._percent)

    def reset(self) -> None:
        """Every voice is as loud as the settings say again; the file is removed."""
        self._percent.clear()
        _remove(self._file)


class MuteSwitch:
    """Whether the microphone is to be closed: a switch that a power cut does not move."""

    def __init__(self, file: Path) -> None:
        """Reads `file`. A damaged one means muted: somebody may have closed the microphone, and opening it is one press."""
        self._file = file
        damaged = file.exists()
        self.muted = recall(file, _muted, damaged)

    def set(self, muted: bool) -> None:
        """Sets and saves; a disk that cannot be written is logged."""
        self.muted = muted
        _save(self._file, {"muted": muted})


def _levels(tree: Any) -> dict[str, int]:
    if len(table(tree)) > MOST_VOICES:
        raise Damaged(f"more than {MOST_VOICES} voices")
    return {text(voice, MOST_NAME): round(number(percent, 0, 100)) for voice, percent in tree.items()}


def _muted(tree: Any) -> bool:
    muted = table(tree).get("muted")
    if not isinstance(muted, bool):
        raise Damaged("'muted' is neither true nor false")
    return muted


def _save(file: Path, tree: Any) -> None:
    try:
        write_atomic(file, json.dumps(tree))
    except OSError as error:
        log.warning("%s cannot be written: %s.", file, error.strerror)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed: %s.", file, error.strerror)
