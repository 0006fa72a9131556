"""In: scripts/wheelhouse and scripts/release with what they cannot use. Out: one sentence each, and nothing half made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT


def call(script: str, *words: str, **environ: str) -> tuple[int, list[str]]:
    done = subprocess.run([str(ROOT / "scripts" / script), *words], env=os.environ | environ, capture_output=True, text=True,
                          timeout=120, check=False, stdin=subprocess.DEVNULL)  # fmt: skip
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "which targets?"),
        (("3.13",), "is no target such as 3.13-aarch64"),
        (("../x-aarch64",), "is no target such as 3.13-aarch64"),
        (("3.99-aarch64",), "Python 3.99 is needed on this machine"),
    ],
)
def test_a_wheelhouse_says_what_it_lacks(words: tuple[str, ...], told: str) -> None:
    code, said = call("wheelhouse", *words)
    assert code == 1 and len(said) == 1 and told in said[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target", "3.13"), "is no target such as 3.13-aarch64"),
        (("--target", "3.13-armv7l"), "is no target such as 3.13-aarch64"),
        (("--wheels", "/nowhere"), "no wheel of the appliance itself"),
    ],
)
def test_a_release_says_what_it_lacks(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    code, said = call(
        "release", *words, "--out", str(tmp_path), PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )
    assert code == 1 and len(said) == 1 and told in said[0]
    assert list(tmp_path.iterdir()) == []
