"""In: what a person asks a suite to measure. Out: the same for the suite, with settings, models and a progress bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import UsageError
from appliance.settings import Settings
from appliance.wire.child import Models

Progress = Callable[[int, int, str], None]
"""(done, of how many, with what) for a bar; called as often as the suite likes."""


def no_progress(done: int, total: int, what: str) -> None:
    """For those who do not watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `appliance bench`. A suite uses those that CLI.md gives it."""

    settings: Settings
    models: Models
    data: Path | None = None
    noise: Path | None = None
    snr_db: tuple[float, ...] = ()
    limit: int | None = None
    seconds: float | None = None
    word: str | None = None
    negatives: tuple[Path, ...] = ()
    home: Path | None = None
    sentences: tuple[Path, ...] = ()
    names: int | None = None
    """Devices that the home is filled up to with made-up ones."""
    without: tuple[str, ...] = ()
    """Parts that are switched off, each in a run of its own."""
    outside: bool = False
    """latency: some turns are listened to at the loudspeaker of a virtual card as well."""
    turn: str = "button"
    run_arguments: tuple[str, ...] = ()
    """`--config` and `--set` as they were given, for a program of its own that shall run with the same settings."""
    progress: Progress = field(default=no_progress, repr=False)

    def folder(self, suite: str) -> Path:
        """The data folder. Raises UsageError where none was given or it is none."""
        if self.data is None:
            raise UsageError("no-data", f"bench {suite} needs --data DIR.")
        if not self.data.is_dir():
            raise UsageError("no-data", f"--data {self.data}: there is no such folder.")
        return self.data
