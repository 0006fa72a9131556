"""In: `appliance config …`. Out: every setting with its origin, a verdict, a JSON schema that fits."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from appliance.cli import config
from appliance.errors import SettingsError, UsageError
from appliance.settings import Settings, load, names
from appliance.settings.describe import commented_toml, markdown
from tests.shared import ROOT
from tests.unit.command import call


def test_show_names_the_origin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("APPLIANCE_TELEMETRY__MQTT__HOST", "broker.example")
    assert call(config, "show", "--json", assignments=("stt.beam=64",)) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["stt.beam"]["value"], rows["stt.beam"]["origin"]) == (64, "--set")
    assert rows["telemetry.mqtt.host"]["origin"] == "APPLIANCE_TELEMETRY__MQTT__HOST"
    assert rows["stt.threads"]["origin"] == "default"
    assert all(row["description"] for row in rows.values())


def test_show_one_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(config, "show", "vad") == 0
    printed = capsys.readouterr().out
    assert "vad.threshold" in printed and "stt." not in printed


def test_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("APPLIANCE_MODELS__MIRROR", raising=False)
    assert call(config, "check", assignments=("stt.beam=64",)) == 0
    assert "valid; 1 settings are set" in capsys.readouterr().out
    with pytest.raises(SettingsError, match=r"stt\.beam \(--set\)"):
        call(config, "check", assignments=("stt.beam=1",))


def test_check_looks_at_what_the_settings_name(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ("device.language=xx", "intents.home_file=/no/home.json", "sound.channel=3", "sound.channels=2")
    assert call(config, "check", assignments=wrong) == 2
    told = capsys.readouterr().err
    assert "nothing is understood in 'xx'" in told
    assert "/no/home.json is not there" in told and "channel 3 of 2" in told


def test_check_names_a_wake_word_that_nobody_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(config, "check", assignments=('wake.words=["abracadabra"]',)) == 2
    assert "abracadabra" in capsys.readouterr().err


def test_init_writes_a_file_that_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "appliance.toml"
    assert call(config, "init", str(file)) == 0
    settings, origins = load(file, environ={})
    assert origins == {} and settings == load(environ={})[0]
    with pytest.raises(SettingsError, match="is there already"):
        call(config, "init", str(file))
    capsys.readouterr()
    assert call(config, "init") == 0
    assert capsys.readouterr().out == file.read_text(encoding="utf-8")


def test_every_commented_setting_is_valid_without_its_hash_sign() -> None:
    lines = [line[1:] if line.startswith("#") and " = " in line[1:] and line[1] != " " else line
             for line in commented_toml().splitlines()]  # fmt: skip
    tree = tomllib.loads("\n".join(lines))
    assert tree["stt"]["beam"] == 200 and tree["wake"]["words"] == ["alexa"]
    assert Settings.model_validate(tree).stt.beam == 200


def test_values_of_the_file_are_as_given(tmp_path: Path) -> None:
    odd = 'Küche "unten" \\ \n x'
    (tmp_path / "a.toml").write_text(commented_toml({"device.name": odd, "wake.words": ("a", "b"), "stt.beam": 64}))
    settings, origins = load(tmp_path / "a.toml", environ={})
    assert settings.device.name == odd and settings.wake.words == ("a", "b") and settings.stt.beam == 64
    assert set(origins) == {"device.name", "wake.words", "stt.beam"}


def test_tables_are_whole_at_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call(config, "show", assignments=("models.dir=/a/very/long/path/that/never/ends/and/goes/on/and/on",)) == 0
    printed = capsys.readouterr().out
    assert "…" not in printed and max(map(len, printed.splitlines())) <= 80
    assert all(name in "".join(printed.split()) or name.split(".")[0] in printed for name in names())


def test_schema_of_a_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(config, "schema", "stt") == 0
    assert "beam" in json.loads(capsys.readouterr().out)["properties"]
    with pytest.raises(UsageError, match="no section 'sst'"):
        call(config, "schema", "sst")


def test_the_page_of_the_settings_is_up_to_date() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page.endswith(markdown()), "python -m appliance.settings.describe > docs/configuration.md"


def test_the_schema_fits_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(config, "schema") == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(load(environ={})[0].model_dump(mode="json"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"stt": {"beam": 1}}, schema)
