"""In: releases that were changed, unsigned, signed by strangers. Out: one sentence each; only what was signed is believed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import UpdateError
from appliance.update.lock import only_one
from appliance.update.manifest import MANIFEST, NAMESPACE, SIGNATURE, parse, read, ssh_verify

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen (openssh-client)")


def key(folder: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder)], check=True, timeout=120)
    return folder


def sign(release: Path, by: Path, namespace: str = NAMESPACE) -> None:
    (release / SIGNATURE).unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(by), "-n", namespace, str(release / MANIFEST)]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Ours, a stranger's, and the file of allowed signers."""
    folder = tmp_path_factory.mktemp("keys")
    ours, stranger = key(folder / "ours"), key(folder / "stranger")
    signers = folder / "allowed_signers"
    signers.write_text(f'release namespaces="{NAMESPACE}" {ours.with_suffix(".pub").read_text()}')
    return ours, stranger, signers


@pytest.fixture
def release(tmp_path: Path, keys: tuple[Path, Path, Path]) -> Path:
    folder = tmp_path / "release"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels" / "a-1.whl").write_bytes(b"wheel")
    files = {"wheels/a-1.whl": {"size": 5, "sha256": hashlib.sha256(b"wheel").hexdigest()}}
    table = {"version": "1.2.3", "python": "3.11", "machine": "x86_64", "installed_bytes": 10, "files": files}
    (folder / MANIFEST).write_text(json.dumps(table))
    sign(folder, keys[0])
    return folder


def test_a_signed_release_is_believed(release: Path, keys: tuple[Path, Path, Path]) -> None:
    assert read(release, keys[2]).version == "1.2.3"


def changed_wheel(release: Path) -> None:
    (release / "wheels" / "a-1.whl").write_bytes(b"WHEEL")


def longer_wheel(release: Path) -> None:
    (release / "wheels" / "a-1.whl").write_bytes(b"wheel and more")


def missing_wheel(release: Path) -> None:
    (release / "wheels" / "a-1.whl").unlink()


def extra_file(release: Path) -> None:
    (release / "wheels" / "evil.whl").write_bytes(b"x")


def a_link(release: Path) -> None:
    (release / "wheels" / "link.whl").symlink_to("/etc/passwd")


def changed_manifest(release: Path) -> None:
    path = release / MANIFEST
    path.write_text(path.read_text().replace("1.2.3", "9.9.9"))


def unsigned(release: Path) -> None:
    (release / SIGNATURE).unlink()


def rubbish_signature(release: Path) -> None:
    (release / SIGNATURE).write_bytes(b"\x00" * 300)


def no_manifest(release: Path) -> None:
    (release / MANIFEST).unlink()


@pytest.mark.parametrize(
    "damage",
    [
        changed_wheel,
        longer_wheel,
        missing_wheel,
        extra_file,
        a_link,
        changed_manifest,
        unsigned,
        rubbish_signature,
        no_manifest,
    ],
)
def test_what_was_changed_is_refused(
    damage: Callable[[Path], None], release: Path, keys: tuple[Path, Path, Path]
) -> None:
    damage(release)
    with pytest.raises(UpdateError):
        read(release, keys[2])


def test_strangers_and_other_purposes_are_refused(release: Path, keys: tuple[Path, Path, Path], tmp_path: Path) -> None:
    ours, stranger, signers = keys
    sign(release, stranger)
    with pytest.raises(UpdateError, match="trust"):
        read(release, signers)
    sign(release, ours, "git")
    with pytest.raises(UpdateError, match="trusts"):
        read(release, signers)
    with pytest.raises(UpdateError, match="missing"):
        ssh_verify(release / MANIFEST, release / SIGNATURE, tmp_path / "nobody")


GOOD = {"version": "1.2.3", "python": "3.11", "machine": "x86_64", "installed_bytes": 1}
ONE = {"a": {"size": 1, "sha256": "0" * 64}}


@pytest.mark.parametrize(
    "table",
    [
        [],
        {**GOOD, "files": {}},
        {**GOOD, "files": ONE, "version": "../../etc"},
        {**GOOD, "files": ONE, "python": "2.7"},
        {**GOOD, "files": ONE, "installed_bytes": -1},
        {**GOOD, "files": ONE, "installed_bytes": True},
        {**GOOD, "files": {"../a": ONE["a"]}},
        {**GOOD, "files": {"/a": ONE["a"]}},
        {**GOOD, "files": {"a/../../b": ONE["a"]}},
        {**GOOD, "files": {MANIFEST: ONE["a"]}},
        {**GOOD, "files": {"a": {"size": 1, "sha256": "short"}}},
        {**GOOD, "files": {"a": {"size": "1", "sha256": "0" * 64}}},
    ],
)
def test_manifests_that_cannot_be(table: object) -> None:
    with pytest.raises(UpdateError):
        parse(json.dumps(table).encode())


def test_two_updates_at_once(tmp_path: Path) -> None:
    with only_one(tmp_path / "lock"), pytest.raises(UpdateError, match="under way"), only_one(tmp_path / "lock"):
        pass
    with only_one(tmp_path / "lock"):
        pass
