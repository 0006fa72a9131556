"""In: `appliance config …`. Out: every setting with its origin, a verdict, a JSON schema that fits."""

from __future__ import annotations

import json

import jsonschema
import pytest

from appliance.cli import config
from appliance.errors import SettingsError
from appliance.settings import load
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


def test_the_schema_fits_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(config, "schema") == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(load(environ={})[0].model_dump(mode="json"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"stt": {"beam": 1}}, schema)
