"""In: a folder that holds model files. Out: where in it a file of the catalogue lies."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.entry import Archive, Entry, File
from appliance.errors import ModelError


class Mirror:
    """A folder with a sub-folder a model, named as upstream names it or as the catalogue does (another device's store).

    Archives lie beside the sub-folders or in them. Hashes are not looked at here: what is copied is checked on the way.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise ModelError("no-mirror", f"The mirror {root} is not a folder.")
        self.root = root

    def find(self, entry: Entry, file: File) -> Path | None:
        return self._first(entry, file.name)

    def find_archive(self, entry: Entry, archive: Archive) -> Path | None:
        at_top = self.root / archive.name
        return at_top if at_top.is_file() else self._first(entry, archive.name)

    def has(self, entry: Entry) -> bool:
        """Whether every file of the model can be had from here, by name."""
        archive = entry.archive is not None and self.find_archive(entry, entry.archive) is not None
        return all(
            self.find(entry, file) or (file.member and archive) or file.derived_from for file in entry.files.values()
        )

    def _first(self, entry: Entry, name: str) -> Path | None:
        candidates = (self.root / folder / name for folder in (entry.folder, entry.name))
        return next((path for path in candidates if path.is_file()), None)
