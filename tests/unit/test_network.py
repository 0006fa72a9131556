"""The loaded form of a network is made once, is used while it is whole, and never stands in the way."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from appliance.engines.stt import network
from appliance.engines.stt.network import open_network
from appliance.errors import SttError
from tests.shared import MODELS, needs_shared

pytestmark = needs_shared


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, str]:
    """A small network of its own, and its hash."""
    (found,) = MODELS.glob("*zipformer-gigaspeech*/joiner*.int8.onnx")
    file = tmp_path / "joiner.int8.onnx"
    file.write_bytes(found.read_bytes())
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Suffixes of the files that networks were loaded from."""
    found: list[str] = []
    session = network._session
    monkeypatch.setattr(network, "_session", lambda file, options: found.append(file.suffix) or session(file, options))
    return found


def work(opened: object) -> bytes:
    """What a network makes of the same numbers."""
    random = np.random.default_rng(3)
    feeds = {each.name: random.normal(size=(2, each.shape[1])).astype(np.float32) for each in opened.get_inputs()}  # type: ignore[attr-defined]
    made: bytes = opened.run(None, feeds)[0].tobytes()  # type: ignore[attr-defined]
    return made


def test_the_form_is_made_once_and_says_the_same(model: tuple[Path, str], tmp_path: Path, loaded: list[str]) -> None:
    expected = work(open_network(model[0], 1))
    folder = tmp_path / "state" / "networks"
    assert [work(open_network(model[0], 1, model[1], folder)) for _ in range(2)] == [expected, expected]
    assert loaded == [".onnx", ".onnx", ".ort", ".ort"]


def test_a_torn_form_is_made_again(model: tuple[Path, str], tmp_path: Path, loaded: list[str]) -> None:
    open_network(*_asked(model, tmp_path))
    (form,) = tmp_path.glob("*.ort")
    form.write_bytes(form.read_bytes()[:-100])
    open_network(*_asked(model, tmp_path))
    (form,) = tmp_path.glob("*.ort")
    assert network._digest(form.read_bytes()) in form.name
    assert loaded == [".onnx", ".ort", ".onnx", ".ort"]


def test_another_model_or_library_has_a_form_of_its_own(
    model: tuple[Path, str], tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_network(*_asked(model, tmp_path))
    monkeypatch.setattr("onnxruntime.__version__", "99")
    open_network(*_asked(model, tmp_path))
    open_network(model[0], 1, "0" * 64, tmp_path)
    assert loaded == [".onnx", ".ort"] * 3
    assert len(list(tmp_path.glob("*.ort"))) == 1, "older forms of the same file go"


def test_what_is_whole_but_no_network_is_passed_by(model: tuple[Path, str], tmp_path: Path, loaded: list[str]) -> None:
    name = f"{network._name(*model)}.{network._digest(b'rubbish')}.ort"
    (tmp_path / name).write_bytes(b"rubbish")
    work(open_network(*_asked(model, tmp_path)))
    assert loaded == [".ort", ".onnx"]


def test_a_folder_that_cannot_be_written_costs_nothing_else(
    model: tuple[Path, str], tmp_path: Path, loaded: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        work(open_network(model[0], 1, model[1], tmp_path / "file" / "networks"))
    assert loaded == [".onnx"] and "not kept" in caplog.text


def test_a_model_that_cannot_be_loaded_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(b"rubbish")
    with pytest.raises(SttError, match=r"broken\.onnx cannot be loaded"):
        open_network(file, 1, "0" * 64, tmp_path)


def _asked(model: tuple[Path, str], folder: Path) -> tuple[Path, int, str, Path]:
    return model[0], 1, model[1], folder
