"""In: a verified release. Out: its program in a virtual environment of its own, from its own wheels, without a network."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

from appliance.errors import UpdateError
from appliance.update.layout import Layout
from appliance.update.manifest import MANIFEST, SIGNATURE, Manifest

PIP_S = 900.0
COMMAND_S = 60.0
RESERVE_BYTES = 200_000_000
"""Room that must be left for the state, logs and the phrase cache."""
UNIT_FOLDERS = {
    "systemd/appliance.service": Path("/etc/systemd/system/appliance.service"),
    "systemd/appliance.sysusers": Path("/usr/lib/sysusers.d/appliance.conf"),
    "systemd/appliance.tmpfiles": Path("/usr/lib/tmpfiles.d/appliance.conf"),
}
"""What a release brings outside its folder. Drop-ins beside the unit are the site's and stay."""


class PipInstaller:
    """Makes releases on this device."""

    def __init__(self, layout: Layout, python: str = sys.executable) -> None:
        self._layout, self._python = layout, python

    def assert_room(self, manifest: Manifest) -> None:
        """Room for this release beside the one that runs."""
        free = shutil.disk_usage(self._layout.releases).free
        needed = manifest.installed_bytes + RESERVE_BYTES
        if free < needed:
            found = f"{free // 1_000_000} MB are free, {needed // 1_000_000} MB are needed"
            raise UpdateError("no-room", f"There is no room for release {manifest.version}: {found}.")

    def install(self, source: Path, manifest: Manifest, release: Path) -> None:
        wheels, requirements = source / "wheels", source / "requirements.txt"
        pip = next(iter(sorted(wheels.glob("pip-*.whl"))), None)
        if pip is None or not requirements.is_file():
            raise UpdateError("bad-release", "The release has no pip or no requirements.txt.")
        venv = release / "venv"
        run([self._python, "-I", "-m", "venv", "--without-pip", "--system-site-packages", str(venv)], COMMAND_S)
        # A wheel of pip runs as it is: nothing of it stays, and Debian's python3-venv is not needed.
        command = [
            str(venv / "bin/python"), str(pip / "pip"), "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir",
            "--ignore-installed", "--require-hashes", "--find-links", str(wheels), "--requirement", str(requirements),
        ]  # fmt: skip
        run(command, PIP_S)
        for name in manifest.files:
            if not name.startswith("wheels/"):
                (release / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, release / name)
        for name in (MANIFEST, SIGNATURE):
            shutil.copyfile(source / name, release / name)
        # It must at least be able to start; what it is worth, the gate says.
        said = run([str(venv / "bin/appliance"), "--version"], COMMAND_S).split()
        if said[-1:] != [manifest.version]:
            raise UpdateError("bad-release", f"The release calls itself {' '.join(said)[:60]}, not {manifest.version}.")

    def activate(self, release: Path) -> None:
        changed = False
        for name, target in UNIT_FOLDERS.items():
            source = release / name
            if not source.is_file() or (target.is_file() and filecmp.cmp(source, target, shallow=False)):
                continue
            part = target.with_name(f".{target.name}.part")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, part)
            part.replace(target)
            changed = True
        if changed:
            os.sync()
            run(["systemd-sysusers"], COMMAND_S)
            run(["systemd-tmpfiles", "--create", "appliance.conf"], COMMAND_S)
            run(["systemctl", "daemon-reload"], COMMAND_S)


def run(command: list[str], timeout_s: float) -> str:
    """Standard output. Raises UpdateError with the command's last words."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s,
            check=False, env=clean | {"PIP_CONFIG_FILE": os.devnull},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError("command-failed", f"'{Path(command[0]).name}' could not be run: {error}.") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UpdateError("command-failed", f"'{Path(command[0]).name}' failed ({done.returncode}): {last[:300]}")
    return done.stdout
