"""In: loudness of each voice. Out: the same after a restart: a small file, written when it changes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)


class Levels:
    """Percent by voice (reply, chime, alarm)."""

    def __init__(self, file: Path, default_percent: int) -> None:
        """Reads `file`; a missing or broken one counts as empty."""
        self._file = file
        self._default_percent = default_percent
        self._percent: dict[str, int] = {}
        try:
            saved = json.loads(file.read_text(encoding="utf-8"))
            self._percent = {str(voice): _bounded(int(percent)) for voice, percent in saved.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("%s is ignored: %s.", file, error)

    def percent(self, voice: str) -> int:
        """0..100."""
        return self._percent.get(voice, self._default_percent)

    def all(self) -> dict[str, int]:
        """Every voice that differs from the default, and the reply's own."""
        return {"reply": self.percent("reply"), **self._percent}

    def set(self, voice: str, percent: int) -> None:
        """Sets and saves; a disk that cannot be written is logged."""
        self._percent[voice] = _bounded(percent)
        temporary = self._file.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps(self._percent), encoding="utf-8")
            temporary.replace(self._file)
        except OSError as error:
            log.warning("%s cannot be written: %s.", self._file, error.strerror)

    def reset(self) -> None:
        """Every voice is as loud as the settings say again; the file is removed."""
        self._percent.clear()
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be removed: %s.", self._file, error.strerror)


def _bounded(percent: int) -> int:
    return max(0, min(100, percent))
