"""In: folders as `bench all` wants them. Out: the suites that run, each with its data; unusable data is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.bench.plan import NOISE_SNR_DB, everything
from appliance.bench.request import Request
from appliance.bench.suites import SUITES
from appliance.errors import UsageError
from appliance.settings import load
from appliance.sim.card import missing
from appliance.wire.child import Models


def request(data: Path | None, **rest: object) -> Request:
    settings, _ = load(environ={})
    return Request(settings=settings, models=Models(), data=data, **rest)  # type: ignore[arg-type]


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Every folder of the layout, empty but for the files that are looked for by name."""
    for folder in (
        "wake/alexa",
        "commands/home",
        "commands/coffee",
        "commands/local",
        "commands/near",
        "noise",
        "echo",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "noise" / "kitchen.flac").touch()
    (tmp_path / "commands" / "coffee" / "sentences.yaml").touch()
    return tmp_path


def test_every_suite_with_data_runs(audio: Path) -> None:
    planned = everything(request(audio))
    assert {suite for suite, _ in planned} == set(SUITES) - ({"barge", "selfwake"} if missing() else set())
    local = next(wanted for suite, wanted in planned if suite == "latency")
    assert local.data == audio / "commands" / "local"
    clean, noisy = (wanted for suite, wanted in planned if suite == "wake")
    assert clean.negatives == (audio / "commands", audio / "echo") and clean.noise is None
    assert noisy.noise == audio / "noise" / "kitchen.flac" and noisy.snr_db == (10.0,)


def test_orders_run_with_their_own_sentences_in_noise(audio: Path) -> None:
    orders = [wanted for suite, wanted in everything(request(audio)) if suite == "commands"]
    assert orders[-1].sentences == (audio / "commands" / "coffee" / "sentences.yaml",)
    assert orders[-1].snr_db == NOISE_SNR_DB


def test_what_has_no_data_is_left_out(tmp_path: Path) -> None:
    assert [
        suite for suite, _ in everything(request(tmp_path)) if suite in ("wake", "commands", "latency", "echo")
    ] == []


def test_the_folder_is_needed(tmp_path: Path) -> None:
    for data in (None, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="--data"):
            everything(request(data))


def test_sentences_for_the_voice_come_from_a_text_file(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    for data in (empty, tmp_path):
        with pytest.raises(UsageError, match=str(data)):
            SUITES["tts"].run(request(data))
