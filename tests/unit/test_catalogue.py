"""In: the catalogue as it is shipped. Out: it is complete, consistent, and says what the reference folder says."""

from __future__ import annotations

from pathlib import Path

import pytest

import appliance.catalogue.catalogue as catalogue_module
from appliance.catalogue.catalogue import parse_catalogue, read_catalogue
from appliance.catalogue.entry import Entry
from appliance.catalogue.vocabulary import vocabulary_of
from appliance.errors import ModelError
from tests.shared import MODELS, ROOT, needs_shared

CATALOGUE = read_catalogue()


def test_the_package_carries_the_file_that_people_read() -> None:
    beside = Path(catalogue_module.__file__).parent / "catalog.toml"
    assert beside.read_bytes() == (ROOT / "models" / "catalog.toml").read_bytes()


@pytest.mark.parametrize("profile", ["tiny", "standard", "best"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_profile_speaks_four_languages(profile: str, language: str) -> None:
    entries = CATALOGUE.of_profile(profile, language)
    assert [entry.stage for entry in entries] == ["stt", "tts", "vad"]
    assert all(entry.downloadable and entry.language in (language, "und") for entry in entries)


def test_a_dialect_gets_the_models_of_its_language() -> None:
    assert CATALOGUE.profiles["tiny"].pick("stt", "en-GB") == CATALOGUE.profiles["tiny"].pick("stt", "en")


def test_tiny_keeps_away_from_the_broken_encoder() -> None:
    archive = CATALOGUE.entry(CATALOGUE.profiles["tiny"].stt["en"], "stt").archive
    assert archive is not None and "mobile" not in archive.name


@pytest.mark.parametrize("entry", CATALOGUE.models.values(), ids=lambda entry: str(entry.name))
def test_every_loader_finds_its_roles(entry: Entry) -> None:
    roles = {
        "transducer": {"encoder", "decoder", "joiner", "tokens"},
        "vits": {"model", "tokens"},
        "silero": {"model"},
        "microwakeword": {"model", "config"},
    }
    assert roles[entry.kind] <= set(entry.files)
    assert ("bpe_vocab" in entry.files) == ("bpe_model" in entry.files)


@needs_shared
def test_what_was_tested_is_what_the_reference_folder_holds() -> None:
    lines = (MODELS / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {path.removeprefix("./"): digest for digest, path in (line.split("  ") for line in lines)}
    tested = [entry for entry in CATALOGUE.models.values() if entry.tested]
    assert {entry.stage for entry in tested} >= {"wake", "stt", "tts"}
    for entry in tested:
        for file in entry.files.values():
            path = f"{entry.folder}/{file.name}"
            assert (file.sha256, file.size) == (sums[path], (MODELS / path).stat().st_size), path


@needs_shared
def test_a_vocabulary_is_made_as_upstream_makes_it() -> None:
    folder = next(path.parent for path in MODELS.rglob("bpe.model"))
    assert vocabulary_of((folder / "bpe.model").read_bytes()) == (folder / "bpe.vocab").read_bytes()


@pytest.mark.parametrize("model", [b"", b"\x0a", b"\x0a\xff\x01x", b"\x0f", b"not a model", b"\x0a\x02\x0a\x00"])
def test_rubbish_makes_no_vocabulary(model: bytes) -> None:
    with pytest.raises(ModelError, match=r"bpe\.model"):
        vocabulary_of(model)


GOOD = """
[profiles.p]
description = "d"
stt = { en = "m" }
tts = {}
vad = "v"
[models.m]
stage = "stt"
kind = "transducer"
language = "en"
licence = "MIT"
memory_mb = 1
tested = true
folder = "f"
files = { tokens = { name = "t", sha256 = "000" } }
[models.v]
stage = "vad"
kind = "silero"
language = "und"
licence = "MIT"
memory_mb = 1
tested = true
folder = "f"
files = { model = { name = "v", sha256 = "111" } }
""".replace("000", "0" * 64).replace("111", "1" * 64)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('{ en = "m" }', '{ en = "absent" }'),
        ('{ en = "m" }', '{ en = "v" }'),
        ('name = "t"', 'name = "../t"'),
        ('sha256 = "000', 'sha256 = "xyz'),
        ('stage = "stt"', 'stage = "other"'),
        ("memory_mb = 1", "memory_mb = 0"),
        ('folder = "f"', 'folder = "f"\nodd = 1'),
        ('name = "t"', 'name = "t", member = "*.txt"'),
        ('name = "t"', 'name = "t", derived_from = "nothing"'),
        ("[models.m]", "[models.m"),
    ],
)
def test_a_wrong_catalogue_is_refused(right: str, wrong: str) -> None:
    assert parse_catalogue(GOOD).models["m"].language == "en"
    with pytest.raises(ModelError):
        parse_catalogue(GOOD.replace(right, wrong, 1))
