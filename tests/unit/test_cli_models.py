"""In: `appliance models …`. Out: tables, JSON, exit codes, and models in the folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.cli import models
from appliance.errors import ModelError, UsageError
from tests.shared import MODELS, needs_shared
from tests.unit.command import call


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.delenv("APPLIANCE_MODELS__MIRROR", raising=False)
    return (f"device.state_dir={tmp_path}",)


def test_list_knows_every_profile(state: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(models, "list", "--json", assignments=state) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {profile for row in rows.values() for profile in row["profiles"]} == {"tiny", "standard", "best", "dev"}
    assert rows["zipformer-en-3.3M"]["tested"] is False and rows["zipformer-en-3.3M"]["licence"] == "Apache-2.0"
    assert rows["zipformer-en-3.3M-repaired"]["download_bytes"] is None
    assert rows["alexa"]["state"] == "installed" and rows["silero"]["state"] == "-"


def test_list_by_profile_and_language(state: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(models, "list", "--profile", "tiny", "--language", "de", assignments=state) == 0
    printed = capsys.readouterr().out
    assert "kroko-de" in printed and "thorsten-de" in printed and "kroko-fr" not in printed


@needs_shared
def test_fetch_verify_path(state: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(models, "fetch", "--mirror", str(MODELS), assignments=state) == 0
    assert "zipformer-en-3.3M-repaired" in capsys.readouterr().out
    assert call(models, "verify", "--json", assignments=state) == 0
    assert [row["error"] for row in json.loads(capsys.readouterr().out)] == [None, None, None]
    assert call(models, "path", "silero", assignments=state) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder == tmp_path / "models" / "silero"
    (folder / "silero_vad.onnx").write_bytes(b"rot")
    assert call(models, "verify", assignments=state) == 1
    assert "silero_vad.onnx has 3 bytes instead of" in capsys.readouterr().out
    assert call(models, "fetch", "silero", "--mirror", str(MODELS), assignments=state) == 0
    assert call(models, "verify", assignments=state) == 0


def test_a_mirror_without_a_profile_is_refused(state: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no whole profile for language 'en'"):
        call(models, "fetch", "--mirror", str(tmp_path), assignments=state)


def test_an_unknown_name_is_wrong_usage(state: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="no model 'absent'") as caught:
        call(models, "fetch", "absent", assignments=state)
    assert caught.value.exit_code == 2


def test_the_path_of_what_is_not_here_fails(state: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(models, "path", assignments=state) == 0
    with pytest.raises(ModelError, match="silero is not in"):
        call(models, "path", "silero", assignments=state)
