"""In: a model of the catalogue and the folder of fetched ones. Out: its files, hashes checked, or what is wrong."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.entry import Entry, File
from appliance.catalogue.stamp import Stamp, sha256_of
from appliance.errors import ModelError
from appliance.settings import Settings
from appliance.wire.child import ModelFile


def model_dir(settings: Settings) -> Path:
    """Where fetched models are kept."""
    return settings.models.dir or settings.device.state_dir / "models"


class Store:
    """The folder of fetched models: one sub-folder a model, named like the model.

    A sub-folder appears only when all its files were checked (`fetch` renames it into place), so one that is incomplete
    was damaged later.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, entry: Entry) -> Path:
        return self.root / entry.name

    def has(self, entry: Entry) -> bool:
        """Whether the model was fetched; says nothing about its state."""
        return self.folder(entry).is_dir()

    def open(self, entry: Entry, rehash: bool = False) -> ModelFile:
        """The model, every file present and of the right hash. Raises ModelError naming the first file that is not.

        Blocks. Files unchanged since their last check are not hashed again unless `rehash`.
        """
        folder = self.folder(entry)
        stamp = Stamp(folder)
        hashes: dict[str, str] = {}
        for role, file in entry.files.items():
            hashes[role] = _check(folder / file.name, file, stamp, rehash)
        stamp.write()
        paths = {role: (folder / file.name).resolve() for role, file in entry.files.items()}
        return ModelFile(name=entry.name, kind=entry.kind, language=entry.language, files=paths, sha256=hashes)


def _check(path: Path, file: File, stamp: Stamp, rehash: bool) -> str:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise broken(path, "is missing") from error
    if file.size is not None and size != file.size:
        raise broken(path, f"has {size} bytes instead of {file.size}")
    known = stamp.unchanged(path)
    if known is not None and not rehash and file.sha256 in (None, known):
        return known
    try:
        found = sha256_of(path)
    except OSError as error:
        raise broken(path, f"cannot be read ({error.strerror})") from error
    if found != (file.sha256 or stamp.recorded(path)):
        raise broken(path, "has the wrong SHA-256")
    stamp.put(path, found)
    return found


def broken(path: Path, what: str) -> ModelError:
    return ModelError("bad-file", f"The model file {path} {what}; `appliance models fetch` replaces it.")
