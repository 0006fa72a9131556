"""In: the real program, started by `appliance bench`. Out: the figures that other programs rely on, and honest exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.shared import SHARED, needs_shared

LIMIT_S = 100


def bench(*words: str | Path, state: Path) -> subprocess.CompletedProcess[str]:
    """`appliance bench WORDS` with a state directory of its own and the models of ../shared, if they are there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    kept |= {"APPLIANCE_DEVICE__STATE_DIR": str(state)}
    if (SHARED / "models").is_dir():
        kept |= {"APPLIANCE_MODELS__MIRROR": str(SHARED / "models")}
    return subprocess.run(
        [sys.executable, "-m", "appliance", "bench", *map(str, words)],
        env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def table(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_startup_and_idle_of_the_real_program(tmp_path: Path) -> None:
    report = tmp_path / "reports" / "bench.html"
    done = bench("startup", "idle", "--limit", "1", "--seconds", "2", "--json", "--report", report, state=tmp_path)
    startup, idle = table(done)
    assert startup["suite"] == "startup" and startup["n"] == 1
    ready_s = startup["measures"]["startup.ready_s"]
    assert all(0 < startup["measures"][f"startup.{child}_s"] <= ready_s for child in ("sound", "stt", "tts"))
    assert startup["budgets"]["startup.ready_s"]["target"] == 10
    assert startup["machine"]["cores"] >= 1 and "numpy" in startup["versions"]
    assert idle["measures"]["idle.cpu_ratio"] is not None
    parts = [idle["measures"][f"idle.pss_mb.{name}"] for name in ("supervisor", "sound", "stt", "tts")]
    assert sum(parts) == pytest.approx(idle["measures"]["idle.pss_mb"], abs=0.5)
    assert "Processor, by process" in report.read_text(encoding="utf-8")


@needs_shared
def test_turns_in_real_time(tmp_path: Path) -> None:
    done = bench("latency", "--data", SHARED / "audio/commands/local", "--limit", "2", "--json", state=tmp_path)
    found = table(done)
    measures = found["measures"]
    assert found["n"] == 2
    assert measures["latency.response_ms.p50"] > measures["latency.endpoint_ms.p50"] > 0
    assert measures["latency.wake_ms.p50"] is None
    assert found["models"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("latency",), "--data"),
        (("latency", "--data", "/nowhere"), "/nowhere"),
        (("wake", "--snr", "10"), "--noise"),
        (("latency", "--without", "luck"), "luck"),
        (("melody",), "melody"),
        (("idle", "--seconds", "0"), "--seconds"),
    ],
)
def test_wrong_usage_is_2_and_says_what(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    done = bench(*words, state=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr and "Traceback" not in done.stderr
