"""In: one table of models/catalog.toml. Out: a model as the catalogue knows it: files, sizes, hashes, licence."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Stage = Literal["stt", "tts", "vad", "wake"]
HEX_SHA256 = r"^[0-9a-f]{64}$"
FILE_NAME = r"^[A-Za-z0-9_.-]+$"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Archive(_Fact):
    """A .tar.bz2 of which some members are needed."""

    url: str = Field(pattern=r"^https?://")
    size: int = Field(gt=0)
    """Bytes."""
    sha256: str = Field(pattern=HEX_SHA256)

    @property
    def name(self) -> str:
        """File name, which is also its name in a mirror."""
        return self.url.rsplit("/", 1)[1]


class File(_Fact):
    """One file of a model."""

    name: str = Field(pattern=FILE_NAME)
    """What it is called on disk, here and in a mirror."""
    size: int | None = Field(None, gt=0)
    """Bytes; None where only the archive around it was published with a size."""
    sha256: str | None = Field(None, pattern=HEX_SHA256)
    """None where the hash of the archive, or of the file it is made from, stands for it."""
    url: str | None = Field(None, pattern=r"^https?://")
    member: str | None = None
    """Glob over the member's base name in the archive; must match exactly one."""
    derived_from: str | None = None
    """Role of the file that this one is computed from."""


class Entry(_Fact):
    """One model of the catalogue."""

    name: str
    stage: Stage
    kind: str
    language: str
    licence: str
    memory_mb: int = Field(gt=0)
    """Resident memory of the child that loads it, megabytes; an estimate where `tested` is false."""
    tested: bool
    """This project has run exactly these files."""
    note: str = ""
    folder: str = Field(pattern=FILE_NAME)
    """The model's folder in a mirror."""
    archive: Archive | None = None
    files: dict[str, File] = Field(min_length=1)

    @model_validator(mode="after")
    def _sources_exist(self) -> Entry:
        for role, file in self.files.items():
            if file.member is not None and self.archive is None:
                raise ValueError(f"{role} names a member, but there is no archive")
            if file.derived_from is not None and file.derived_from not in self.files:
                raise ValueError(f"{role} is derived from '{file.derived_from}', which is no role here")
            if file.sha256 is None and file.member is None and file.derived_from is None:
                raise ValueError(f"{role} has neither a sha256 nor a source that has one")
        return self

    @property
    def downloadable(self) -> bool:
        """Whether every file has a source on the network."""
        return all(file.url or file.member or file.derived_from for file in self.files.values())

    @property
    def download_bytes(self) -> int:
        """What a fetch from the network transfers, bytes."""
        urls = sum(file.size or 0 for file in self.files.values() if file.url)
        return urls + (self.archive.size if self.archive and any(f.member for f in self.files.values()) else 0)


class Profile(_Fact):
    """Which model each stage uses, by language."""

    name: str
    description: str
    stt: dict[str, str]
    tts: dict[str, str]
    vad: str

    def pick(self, stage: Stage, language: str) -> str | None:
        """Name of the model of `stage` for a BCP 47 `language`; None where the profile has none."""
        if stage == "vad":
            return self.vad
        table = {"stt": self.stt, "tts": self.tts}.get(stage, {})
        return table.get(language) or table.get(language.split("-")[0])
