"""In: settings with several things wrong. Out: every one of them told at once, with file, line and the likely name."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import SettingsError
from appliance.settings import load, names
from appliance.settings.faults import lines_of

FILE = """# the kitchen
[device]
languge = "en"
area = "Kitchen"

[stt]
beam = 5000
threads = 2

[telemetry]
metrics_interval_s = 0.1

[telemetry.mqtt]
host = "broker"
prot = 1883

[spech]
beam = 1
"""


def faults(file: Path, *assignments: str, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(file, assignments, environ)
    assert caught.value.exit_code == 2
    return caught.value.message.splitlines()


def test_all_faults_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(FILE)
    told = faults(file, "tts.sped=2", APPLIANCE_STT__BEEM="3")
    assert f"{file}, line 17: there is no section 'spech'." in told
    assert f"device.languge ({file}, line 3): there is no such setting. Did you mean device.language?" in told
    assert any(line.startswith(f"stt.beam ({file}, line 7): ") and line.endswith("not 5000.") for line in told)
    assert any(line.startswith(f"telemetry.metrics_interval_s ({file}, line 11): ") for line in told)
    mqtt = f"telemetry.mqtt.prot ({file}, line 15): there is no such setting. Did you mean telemetry.mqtt.port?"
    assert mqtt in told
    assert "--set tts.sped: there is no such setting. Did you mean tts.speed?" in told
    assert "The environment variable APPLIANCE_STT__BEEM names no setting. Did you mean stt.beam?" in told
    assert len(told) == 7


def test_what_came_later_is_blamed(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("[stt]\nbeam = 5000\n")
    (told,) = faults(file, "stt.beam=1")
    assert told.startswith("stt.beam (--set): ")


def test_a_wrong_item_of_a_list_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('[panel]\nled_pins = [\n  1,\n  "two",\n]\n')
    (told,) = faults(file)
    assert told.startswith(f"panel.led_pins.1 ({file}, line 2): ")


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("[a.b]\nc = 1", "a.b.c", 2),
        ("[a]\nb.c = 1", "a.b.c", 2),
        ("a.b = 1", "a.b", 1),
        ("[ a ]  # x\n\n'b' = 1", "a.b", 3),
        ("[a]\nb = { c = 1 }", "a.b", 2),
    ],
)
def test_lines(text: str, name: str, line: int) -> None:
    assert lines_of(text)[name] == line


def test_names_are_all_settings() -> None:
    assert {"stt.beam", "telemetry.mqtt.port", "device.id"} <= set(names())
    assert "telemetry.mqtt" not in names()
