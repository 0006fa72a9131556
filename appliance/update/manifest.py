"""In: a release's folder and the keys that may sign. Out: its manifest, believed: signature, hashes, names, target, sizes."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import UpdateError
from appliance.update.version import is_version

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
NAMESPACE = "appliance-release"
"""What a signature is good for (ssh-keygen -n): one made for mail or git opens nothing here."""
MOST_BYTES = 4_000_000
MOST_FILES = 5000
NAME = re.compile(r"^(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9_.+@-]+(?:/[A-Za-z0-9_.+@-]+){0,6}$")
"""A path inside the release: no leading slash, no '..'."""
SHA256 = re.compile(r"^[0-9a-f]{64}$")
VERIFY_S = 20.0


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release."""

    size: int
    """bytes"""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release is."""

    version: str
    python: str
    """3.11, say: the Python that its wheels are for."""
    machine: str
    """aarch64 or x86_64."""
    installed_bytes: int
    """Room that it takes when installed."""
    files: dict[str, ReleaseFile]


Verify = Callable[[Path, Path, Path], None]
"""Manifest, signature, signers; raises UpdateError."""


def ssh_verify(manifest: Path, signature: Path, signers: Path) -> None:
    """`ssh-keygen -Y verify` by any of the allowed signers; needs no clock and no network."""
    if not signers.is_file():
        raise UpdateError("no-signers", f"No key is trusted to sign releases: {signers} is missing.")
    find = ["ssh-keygen", "-Y", "find-principals", "-s", str(signature), "-f", str(signers)]
    found = _ssh_keygen(find, b"").splitlines()
    if not found:
        raise UpdateError("not-trusted", "The release is signed by a key that this device does not trust.")
    check = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", found[0], "-n", NAMESPACE, "-s", str(signature)]
    _ssh_keygen(check, manifest.read_bytes())


def _ssh_keygen(command: list[str], told: bytes) -> str:
    try:
        done = subprocess.run(command, input=told, capture_output=True, timeout=VERIFY_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError("no-ssh-keygen", f"The signature cannot be checked: {error}.") from error
    if done.returncode != 0:
        raise UpdateError("not-trusted", "The release's manifest is not signed by a key that this device trusts.")
    return done.stdout.decode(errors="replace")


def read(folder: Path, signers: Path, verify: Verify = ssh_verify) -> Manifest:
    """The manifest of the release in `folder`; every file there was compared with it. Raises UpdateError."""
    path, signature = folder / MANIFEST, folder / SIGNATURE
    if not path.is_file():
        raise UpdateError("no-manifest", f"There is no {MANIFEST} in {folder}: that is not a release.")
    if not signature.is_file():
        raise UpdateError("unsigned", f"The release in {folder} is not signed.")
    if path.stat().st_size > MOST_BYTES:
        raise UpdateError("bad-manifest", f"The manifest is larger than {MOST_BYTES // 1_000_000} MB.")
    verify(path, signature, signers)
    manifest = parse(path.read_bytes())
    check_files(folder, manifest)
    return manifest


def parse(data: bytes) -> Manifest:
    """Raises UpdateError that names what is wrong."""
    try:
        table = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UpdateError("bad-manifest", "The manifest is not JSON.") from error
    if not isinstance(table, dict) or not is_version(table.get("version")):
        raise UpdateError("bad-manifest", "The manifest has no version such as 1.2.3.")
    for name, pattern in (("python", r"3\.\d{1,2}"), ("machine", r"[a-z0-9_]{1,20}")):
        if not isinstance(table.get(name), str) or not re.fullmatch(pattern, table[name]):
            raise UpdateError("bad-manifest", f"The manifest's '{name}' cannot be read.")
    listed = table.get("files")
    if not isinstance(listed, dict) or not 0 < len(listed) <= MOST_FILES:
        raise UpdateError("bad-manifest", f"The manifest must list 1 to {MOST_FILES} files.")
    return Manifest(
        version=table["version"],
        python=table["python"],
        machine=table["machine"],
        installed_bytes=_size(table.get("installed_bytes"), "installed_bytes"),
        files={name: _file(name, about) for name, about in listed.items()},
    )


def _file(name: str, about: Any) -> ReleaseFile:
    if not NAME.fullmatch(name) or name in (MANIFEST, SIGNATURE):
        raise UpdateError("bad-manifest", f"The manifest lists a file that it must not: '{name[:80]}'.")
    if not isinstance(about, dict) or not isinstance(about.get("sha256"), str) or not SHA256.fullmatch(about["sha256"]):
        raise UpdateError("bad-manifest", f"The manifest has no SHA-256 of '{name}'.")
    return ReleaseFile(_size(about.get("size"), name), about["sha256"])


def _size(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 20_000_000_000:
        raise UpdateError("bad-manifest", f"The manifest's size of '{name}' is not 0 to 20 GB.")
    return value


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every listed file is there as it was signed, and no other. Raises UpdateError."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise UpdateError("bad-release", f"'{name}' in the release is neither a file nor a folder.")
        if path.is_file() and name not in manifest.files and name not in (MANIFEST, SIGNATURE):
            raise UpdateError("bad-release", f"The manifest does not list '{name}'.")
    for name, about in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != about.size:
            raise UpdateError("bad-release", f"'{name}' is missing from the release or has another size.")
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != about.sha256:
                raise UpdateError("bad-release", f"'{name}' is not what was signed.")


def check_target(manifest: Manifest) -> None:
    """The release is for this machine and this Python. Raises UpdateError."""
    here = (f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    if (manifest.python, manifest.machine) != here:
        wanted = f"Python {manifest.python} on {manifest.machine}"
        raise UpdateError("wrong-target", f"The release is for {wanted}; here is Python {here[0]} on {here[1]}.")
    if sys.maxsize < 2**32:
        raise UpdateError("wrong-target", "This system is 32-bit; the appliance needs a 64-bit one.")
