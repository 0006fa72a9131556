"""In: settings, a mirror, damaged files. Out: the models of a run, a starter engine, or one sentence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from appliance.catalogue import stand_in
from appliance.catalogue.resolve import resolve
from appliance.errors import ModelError
from appliance.settings import Settings, load
from tests.shared import MODELS, needs_shared


def settings(tmp_path: Path, *assignments: str) -> Settings:
    return load(assignments=[f"device.state_dir={tmp_path}/state", *assignments], environ={})[0]


@pytest.fixture
def mirror(tmp_path: Path) -> str:
    return f"models.mirror={MODELS}"


def test_with_nothing_at_hand_the_starter_engines_serve(tmp_path: Path) -> None:
    models = resolve(settings(tmp_path))
    assert (models.stt, models.tts, models.vad) == (None, None, None)
    assert [wake.name for wake in models.wake] == ["alexa"]  # the installed package brings it


@needs_shared
def test_a_mirror_of_the_reference_folder_selects_dev(tmp_path: Path, mirror: str) -> None:
    models = resolve(settings(tmp_path, mirror))
    assert models.stt and models.tts and models.vad
    assert (models.stt.kind, models.tts.kind, models.vad.kind) == ("transducer", "vits", "silero")
    assert set(models.stt.files) == {"encoder", "decoder", "joiner", "tokens", "bpe_vocab", "bpe_model"}
    for model in (models.stt, models.tts, models.vad):
        assert all(path.is_relative_to(tmp_path / "state" / "models") for path in model.files.values())
    without_mirror = resolve(settings(tmp_path))
    assert without_mirror == models


@needs_shared
def test_what_was_checked_is_not_read_again(tmp_path: Path, mirror: str) -> None:
    models = resolve(settings(tmp_path, mirror))
    assert models.vad
    path = models.vad.files["model"]
    before = path.stat()
    with path.open("r+b") as stream:  # rot: size, time and inode stay
        stream.write(b"rot")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert resolve(settings(tmp_path)).vad == models.vad
    os.utime(path)  # a change that leaves a trace
    damaged = resolve(settings(tmp_path))
    assert damaged.vad is None and damaged.stt is not None
    assert "silero_vad.onnx has the wrong SHA-256; `appliance models fetch`" in damaged.problems[0]
    mended = resolve(settings(tmp_path, mirror))
    assert mended.vad is not None and mended.problems == ()


@needs_shared
@pytest.mark.parametrize(("damage", "sentence"), [("truncate", "bytes instead of"), ("remove", "is missing")])
def test_a_damaged_file_is_named(tmp_path: Path, mirror: str, damage: str, sentence: str) -> None:
    models = resolve(settings(tmp_path, mirror))
    assert models.stt
    path = models.stt.files["encoder"]
    if damage == "truncate":
        os.truncate(path, 1000)
    else:
        path.unlink()
    damaged = resolve(settings(tmp_path))
    assert damaged.stt is None or damaged.stt.name != models.stt.name
    told = next(problem for problem in damaged.problems if sentence in problem)
    assert str(path) in told and "appliance models fetch" in told
    with pytest.raises(ModelError, match=sentence):  # asked for by its name: the owner is told at once
        resolve(settings(tmp_path, f"stt.model={models.stt.name}"))
    assert resolve(settings(tmp_path, mirror)).stt == models.stt


@needs_shared
def test_a_voice_and_a_model_by_name(tmp_path: Path, mirror: str) -> None:
    models = resolve(settings(tmp_path, mirror, "tts.voice=sano-kristin-en", "wake.words=['stop', 'alexa']"))
    assert models.tts and models.tts.name == "sano-kristin-en"
    assert [wake.name for wake in models.wake] == ["stop", "alexa"]


@needs_shared
def test_a_language_without_models_gets_the_starter_engines(tmp_path: Path, mirror: str) -> None:
    models = resolve(settings(tmp_path, mirror, "device.language=nl"))
    assert models.stt is None and models.tts is None and models.vad is not None


@needs_shared
@pytest.mark.parametrize("asked", ["stt.engine=auto", "stt.engine=grammar", "stt.model=zipformer-en-3.3M-repaired"])
def test_an_english_recogniser_stands_in_for_a_german_one(tmp_path: Path, mirror: str, asked: str) -> None:
    models = resolve(settings(tmp_path, mirror, "device.language=de-AT", asked))
    assert models.stt and (models.stt.name, models.stt.language) == ("zipformer-en-3.3M-repaired", "en")
    assert models.tts is None


@needs_shared
def test_without_espeak_nothing_stands_in(
    tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stand_in, "LIBRARY", "libabsent.so.1")
    assert resolve(settings(tmp_path, mirror, "device.language=de")).stt is None
    assert "libabsent.so.1 is missing (apt-get install espeak-ng)" in caplog.text
    with pytest.raises(ModelError, match="speaks 'en', the device 'de'"):
        resolve(settings(tmp_path, mirror, "device.language=de", "stt.model=zipformer-en-3.3M-repaired"))


@needs_shared
def test_the_free_search_stands_in_for_nobody(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(ModelError, match=r"stt\.engine is 'sherpa', but no stt model"):
        resolve(settings(tmp_path, mirror, "device.language=de", "stt.engine=sherpa"))


@needs_shared
@pytest.mark.parametrize("unwanted", ["stt.engine=pocketsphinx", "stt.uri=tcp://10.0.0.1:10300"])
def test_who_needs_no_model_gets_none(tmp_path: Path, mirror: str, unwanted: str) -> None:
    assert resolve(settings(tmp_path, mirror, unwanted)).stt is None


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("models.profile=tiny", "zipformer-en-3.3M is not in"),
        ("models.profile=dev", "only a mirror has it"),
        ("models.mirror=/nonexistent", "is not a folder"),
        ("stt.engine=sherpa", "stt.engine is 'sherpa', but no stt model"),
        ("stt.model=absent", "no stt model 'absent'; it has"),
        ("stt.model=kroko-de", "speaks 'de', the device 'en'"),
        ("tts.voice=silero", "no tts model 'silero'"),
        ("wake.words=['hey_nobody']", "no wake model 'hey_nobody'"),
    ],
)
def test_what_was_asked_for_must_be_there(tmp_path: Path, assignment: str, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence) as caught:
        resolve(settings(tmp_path, assignment))
    assert "\n" not in str(caught.value)


@needs_shared
def test_own_wake_models_come_first(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for suffix in ("tflite", "json"):
        shutil.copy(MODELS / "microwakeword-v2" / f"stop.{suffix}", own / f"alexa.{suffix}")
    models = resolve(settings(tmp_path, f"wake.model_dir={own}"))
    assert models.wake[0].files["model"] == own / "alexa.tflite"
    (own / "alexa.json").unlink()
    models = resolve(settings(tmp_path, f"wake.model_dir={own}"))
    assert models.wake[0].name == "alexa" and models.wake[0].files["model"].parent != own
    assert "lacks its file" in models.problems[0] and "alexa.json" in models.problems[0]


def test_other_wake_engines_need_no_model(tmp_path: Path) -> None:
    assert resolve(settings(tmp_path, "wake.engine=none")).wake == ()
