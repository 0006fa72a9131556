"""What a child is told: the same settings and models as the supervisor has, without the library that checks them."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import EngineError
from appliance.settings import Settings, load
from appliance.settings.base import Section
from appliance.wire.child import ChildConfig, ModelFile, Models
from appliance.wire.fields import check_of
from appliance.wire.message import Pong
from appliance.wire.stt import Transcript

MODEL = ModelFile("m", "transducer", "en", {"encoder": Path("/m/encoder.onnx")}, {"encoder": "00"})


def same(told: Any, meant: Any) -> None:
    """Fields and values of `meant`, of the same types, are those of `told`."""
    if isinstance(meant, Section | Settings):
        assert vars(told).keys() == type(meant).model_fields.keys()
        for name in type(meant).model_fields:
            same(getattr(told, name), getattr(meant, name))
    else:
        assert told == meant and type(told) is type(meant)


def settings() -> Settings:
    assignments = (
        "device.area=Kitchen",
        "wake.cutoffs={alexa=0.9, path=0.5}",
        "wake.model_dir=/models",
        'intents.sentences=["/a.yaml", "/b.yaml"]',
        "telemetry.mqtt.host=broker",
        "telemetry.mqtt.ca_file=/ca.pem",
        "panel.led_pins=[1, 2]",
        "stt.threads=2",
    )
    return load(None, assignments, {})[0]


def test_a_child_reads_what_was_written(tmp_path: Path) -> None:
    file, models = tmp_path / "child.json", Models(stt=MODEL, wake=(MODEL, MODEL))
    ChildConfig(settings(), models).write(file)
    read = ChildConfig.read(file)
    same(read.settings, settings())
    assert read.models == models
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_a_child_reads_can_be_told_again() -> None:
    once = ChildConfig(settings(), Models(tts=MODEL)).tree()
    assert ChildConfig.of(once).tree() == once


@pytest.mark.parametrize("stage", ["sound", "stt", "tts"])
def test_a_child_does_without_the_checks(stage: str) -> None:
    """They take 8 MB and 0.2 s of every child."""
    loads = f"import sys, appliance.engines.{stage}.__main__ as _; print(*(m for m in sys.modules if 'pydantic' in m))"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (str, "a", "a"),
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (float | None, None, None),
        (float | None, 1, 1.0),
        (bool, True, True),
        (bytes, b"a", b"a"),
        (tuple[str, ...], ["a", "b"], ("a", "b")),
        (tuple[tuple[str, float], ...], [["a", 1]], (("a", 1.0),)),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (dict[str, Any] | None, {"a": [1]}, {"a": [1]}),
    ],
)
def test_a_field_is_kept_as_its_type(kind: Any, value: Any, kept: Any) -> None:
    found = check_of(kind)(value)
    assert found == kept and type(found) is type(kept)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, 1),
        (str, None),
        (int, "3"),
        (int, 3.5),
        (int, float("nan")),
        (int, True),
        (float, "1"),
        (float, False),
        (float | None, "x"),
        (bool, 1),
        (tuple[str, ...], "ab"),
        (tuple[str, ...], ["a", 1]),
        (tuple[tuple[str, float], ...], [["a"]]),
        (tuple[tuple[str, float], ...], [["a", 1, 2]]),
        (dict[str, float], [["a", 1]]),
        (dict[str, float], {"a": "1"}),
    ],
)
def test_a_field_of_another_type_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        check_of(kind)(value)


def test_a_message_needs_its_fields_and_ignores_others() -> None:
    assert Pong.from_event(Pong("a", {"n": 1.0}).event()) == Pong("a", {"n": 1.0})
    event = Transcript(text="a").event()
    event.data["unknown"] = 1
    assert Transcript.from_event(event).text == "a"
    del event.data["text"]
    with pytest.raises(EngineError, match="has no field 'text'"):
        Transcript.from_event(event)
