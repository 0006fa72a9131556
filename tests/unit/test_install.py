"""In: scripts/install on machines that lack something, and on a tree of its own. Out: clear sentences, nothing left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.shared import ROOT


def install(tmp_path: Path, *words: str, programs: dict[str, str] | None = None, **environ: str) -> tuple[int, str]:
    """Exit code and what was said, below a DESTDIR; `programs` stand in for the machine's own."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name, body in (programs or {}).items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    own = {"PATH": f"{folder}:{os.environ['PATH']}", "DESTDIR": str(tmp_path / "root")}
    done = subprocess.run([str(ROOT / "scripts" / "install"), *words], env={**own, **environ}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("programs", "told"),
    [
        ({"getconf": "echo 32"}, "this system is 32-bit"),
        ({"uname": "echo armv7l"}, "this system is 32-bit"),
        ({"getconf": "echo 64", "dpkg": "echo armhf"}, "the programs are 32-bit (armhf)"),
        ({"dpkg": "echo arm64", "python3": "exit 1"}, "Python 3.11 or newer"),
    ],
)
def test_a_machine_that_cannot_carry_it_is_told_why(tmp_path: Path, programs: dict[str, str], told: str) -> None:
    code, said = install(tmp_path, programs=programs)
    assert code == 1 and told in said and len(said.splitlines()) == 1
    assert not (tmp_path / "root").exists()


def test_too_little_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:         473088 kB\n")
    code, said = install(tmp_path, MEMINFO=str(tmp_path / "meminfo"))
    assert code == 1 and "this machine has 462 MB of memory; the appliance needs 1 GB" in said


def test_upgrade_wants_an_installation(tmp_path: Path) -> None:
    assert install(tmp_path, "upgrade") == (1, f"install: nothing is installed in {tmp_path}/root/opt/appliance; "
                                               "'make install' does that.\n")  # fmt: skip


def test_an_unknown_word_is_refused(tmp_path: Path) -> None:
    assert install(tmp_path, "remove")[0] == 1


@pytest.mark.parametrize("purge", [False, True])
def test_uninstall_leaves_what_it_says(tmp_path: Path, purge: bool) -> None:
    root = tmp_path / "root"
    mine = ["opt/appliance/releases/1/venv/x", "etc/systemd/system/appliance.service", "etc/udev/rules.d/70-appliance.rules",
            "usr/lib/sysusers.d/appliance.conf", "usr/lib/tmpfiles.d/appliance.conf"]  # fmt: skip
    theirs = ["etc/appliance/appliance.toml", "var/lib/appliance/models/x"]
    others = ["etc/systemd/system/other.service", "boot/firmware/config.txt"]
    for name in (*mine, *theirs, *others):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    config = root / "boot/firmware/config.txt"
    config.write_text("dtparam=audio=on\ndtoverlay=vc4\ndtoverlay=respeaker-2mic-v2  # voice appliance\n")
    code, said = install(tmp_path, "uninstall", *(("--purge",) if purge else ()))
    left = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert code == 0 and left == sorted([*others, *(() if purge else theirs)])
    assert config.read_text() == "dtparam=audio=on\ndtoverlay=vc4\n"
    assert ("uninstall --purge" in said) is not purge


def test_no_developers_package_comes_to_a_device() -> None:
    text = (ROOT / "scripts" / "install").read_text(encoding="utf-8")
    packages = text.split("PACKAGES=(")[1].split(")")[0].split()
    assert not {"mosquitto", "pulseaudio", "systemd-container", "mmdebstrap"} & set(packages)
    assert "[dev" not in text
