"""In: nothing. Out: where releases, the link to the one that runs, and the updater's own records lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a device. Tests give others."""

    root: Path = Path("/opt/appliance")
    state: Path = Path("/var/lib/appliance")
    config: Path = Path("/etc/appliance")

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current(self) -> Path:
        """A link, relative to `root`: releases/<version>."""
        return self.root / "current"

    @property
    def records(self) -> Path:
        """The updater's own files: lock, pending, result, the state before."""
        return self.root / "update"

    @property
    def pending(self) -> Path:
        return self.records / "pending.json"

    @property
    def result(self) -> Path:
        return self.records / "result.json"

    @property
    def progress(self) -> Path:
        return self.records / "progress.json"

    @property
    def lock(self) -> Path:
        return self.records / "lock"

    @property
    def before(self) -> Path:
        """Copies of the state as it was before the update."""
        return self.records / "state-before"

    @property
    def updater(self) -> Path:
        """The updater itself: one file, outside every release."""
        return self.root / "updater.pyz"

    @property
    def signers(self) -> Path:
        """Who may sign releases (ssh-keygen's allowed_signers)."""
        return self.config / "update" / "allowed_signers"

    @property
    def settings(self) -> Path:
        return self.config / "update" / "update.json"

    def release(self, version: str) -> Path:
        return self.releases / version

    def program(self, version: str) -> Path:
        return self.release(version) / "venv" / "bin" / "appliance"
