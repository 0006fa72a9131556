"""In: the updater as a device calls it, on a real disk, with real signatures. Out: its exit codes and sentences."""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import UpdateError
from appliance.update import __main__ as command
from appliance.update import make
from appliance.update.gate import Seen, ServiceState
from appliance.update.install import PipInstaller
from appliance.update.layout import Layout
from appliance.update.lock import only_one
from appliance.update.manifest import MANIFEST, NAMESPACE, SIGNATURE, Manifest

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen (openssh-client)")
UPDATE = Path(command.__file__).parent


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "release"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True, timeout=120)
    return file


class Stand:
    """systemd and the program of a device."""

    reasons: tuple[str, ...] = ()

    def __init__(self, *_: object) -> None:
        self.boot = "boot"

    def stop(self) -> None: ...
    def start(self) -> None: ...
    def ensure_started(self) -> None: ...
    def progress(self, version: str, share: float) -> None: ...
    def observe(self) -> Seen:
        return Seen(ServiceState(True, answers=True))

    def gate(self, before: Seen | None) -> list[str]:
        return list(Stand.reasons) if before is not None else []

    def boot_id(self) -> str:
        return "boot"


class Copier:
    """Installs without pip."""

    def __init__(self, layout: Layout) -> None: ...
    def assert_room(self, manifest: Manifest) -> None: ...
    def activate(self, release: Path) -> None: ...
    def install(self, source: Path, manifest: Manifest, release: Path) -> None:
        shutil.copytree(source, release, dirs_exist_ok=True)


@pytest.fixture
def site(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = Layout(tmp_path / "opt", tmp_path / "state", tmp_path / "etc")
    for folder in (layout.root, layout.state, layout.signers.parent):
        folder.mkdir(parents=True)
    layout.signers.write_text(f'release namespaces="{NAMESPACE}" {key.with_suffix(".pub").read_text()}')
    monkeypatch.setattr(command, "Layout", lambda: layout)
    monkeypatch.setattr(command, "SystemdService", Stand)
    monkeypatch.setattr(command, "PipInstaller", Copier)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Stand, "reasons", ())
    return layout


def release(folder: Path, version: str, key: Path) -> Path:
    """A signed release of two files."""
    out = folder / version
    (out / "wheels").mkdir(parents=True)
    (out / "wheels" / "a-1-py3-none-any.whl").write_bytes(b"wheel of " + version.encode())
    (out / "requirements.txt").write_text("a==1\n")
    make.write_manifest(out, version, make.this_target())
    make.sign(out, key)
    return out


def outcome(layout: Layout) -> tuple[str, str]:
    result = json.loads(layout.result.read_bytes())
    return result["outcome"], " ".join(result["reasons"])


def test_install_update_go_back(site: Layout, tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = release(tmp_path, "1.0.0", key), release(tmp_path, "1.1.0", key)
    assert command.main(["verify", str(one)]) == 0
    assert command.main(["apply", str(one)]) == 0 and command.main(["apply", str(two)]) == 0
    assert site.current.readlink() == Path("releases/1.1.0") and not site.pending.exists()
    assert outcome(site) == ("confirmed", "")
    assert command.main(["apply", str(one)]) == 1
    assert outcome(site)[0] == "refused" and "older than what runs" in outcome(site)[1]
    assert command.main(["rollback"]) == 0 and site.current.readlink() == Path("releases/1.0.0")
    capsys.readouterr()
    assert command.main(["status"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["current"] == "1.0.0" and told["releases"] == ["1.0.0", "1.1.0"] and told["pending"] is None


def test_a_bad_release_goes_back(site: Layout, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.main(["apply", str(release(tmp_path, "1.0.0", key))]) == 0
    (site.state / "timers.json").write_text('{"version": 1}')
    monkeypatch.setattr(Stand, "reasons", ("it is deaf",))
    assert command.main(["apply", str(release(tmp_path, "1.1.0", key))]) == 1
    assert outcome(site) == ("taken-back", "it is deaf") and site.current.readlink() == Path("releases/1.0.0")
    assert (site.state / "timers.json").read_text() == '{"version": 1}'


def test_two_updates_at_once(site: Layout, tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = release(tmp_path, "1.0.0", key)
    with only_one(site.lock):
        assert command.main(["apply", str(one)]) == 1
        assert "under way" in capsys.readouterr().err
        assert command.main(["settle"]) == 0, "the updater lives: its own deadlines hold"
    assert not site.result.exists() and not site.current.exists()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / SIGNATURE).unlink(), "not signed"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "not signed by a key"),
        (lambda folder: (folder / "requirements.txt").write_text("b==1\n"), "not what was signed"),
    ],
)
def test_what_was_changed_leaves_the_device_alone(
    damage: Callable[[Path], object], told: str, site: Layout, tmp_path: Path, key: Path
) -> None:
    assert command.main(["apply", str(release(tmp_path, "1.0.0", key))]) == 0
    new = release(tmp_path, "1.1.0", key)
    damage(new)
    assert command.main(["apply", str(new)]) == 1
    assert outcome(site)[0] == "refused" and told in outcome(site)[1]
    assert site.current.readlink() == Path("releases/1.0.0")


def test_an_archive_may_be_taken_and_only_plain_names_of_it(site: Layout, tmp_path: Path, key: Path) -> None:
    one = release(tmp_path, "1.0.0", key)
    packed = make.archive(one)
    with tarfile.open(tmp_path / "by-hand.tar", "w") as archive:
        archive.add(one, ".")
    assert command.main(["apply", str(packed)]) == 0
    assert command.main(["apply", "--force", str(tmp_path / "by-hand.tar")]) == 0
    assert not (site.records / "incoming").exists()
    entries = [("../evil", tarfile.DIRTYPE), ("../evil", tarfile.REGTYPE), ("/evil", tarfile.REGTYPE)]
    for name, kind in [*entries, ("./../evil", tarfile.REGTYPE), ("a", tarfile.SYMTYPE), ("a", tarfile.FIFOTYPE)]:
        bad = tmp_path / "1.2.0.tar"
        with tarfile.open(bad, "w") as archive:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member, io.BytesIO())
        assert command.main(["apply", str(bad)]) == 1 and "must not" in outcome(site)[1]
        assert not (site.records / "evil").exists() and not (tmp_path / "evil").exists()
    (tmp_path / "1.3.0.tar").write_bytes(b"no archive")
    assert command.main(["apply", str(tmp_path / "1.3.0.tar")]) == 1


def test_a_machine_that_refuses_is_one_sentence(
    site: Layout, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Copier, "install", full)
    assert command.main(["apply", str(release(tmp_path, "1.0.0", key))]) == 1
    assert capsys.readouterr().err == "updater: The machine refused: No space left on device.\n"


def test_there_must_be_room_for_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path, tmp_path, tmp_path)
    layout.releases.mkdir()
    manifest = Manifest("1.2.3", "3.11", "aarch64", 500_000_000, {})
    usage = type("Usage", (), {"free": 600_000_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UpdateError, match="600 MB are free, 700 MB are needed"):
        PipInstaller(layout).assert_room(manifest)
    usage.free = 700_000_000
    PipInstaller(layout).assert_room(manifest)


def test_a_clock_of_1970_changes_nothing(tmp_path: Path, key: Path, site: Layout) -> None:
    """ssh-keygen compares times only where the file of signers holds some; the updater itself asks for none."""
    one = release(tmp_path, "1.0.0", key)
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", str(site.signers), "-I", "release", "-n", NAMESPACE, "-s", str(one / SIGNATURE),
         "-Overify-time=19700101000100Z"],
        input=(one / MANIFEST).read_bytes(), capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for file in UPDATE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
                assert node.attr in ("monotonic", "sleep"), f"{file.name} asks the wall clock"
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "datetime" not in ast.dump(node), f"{file.name} asks the wall clock"


def test_the_updater_is_one_file_that_needs_only_python(tmp_path: Path) -> None:
    file = make.pack(tmp_path / "updater.pyz")
    assert file.stat().st_size < 200_000
    done = subprocess.run(["/usr/bin/env", "python3", "-I", "-S", str(file), "status"], capture_output=True, text=True,
                          timeout=60, check=False, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"current", "releases", "pending", "result"}
    assert make.pack(tmp_path / "again.pyz").read_bytes() == file.read_bytes(), "the same source, the same bytes"


def wheel(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"PK" + name.encode())
    return folder / name


def test_a_release_is_made_of_wheels_that_fit(tmp_path: Path, key: Path, site: Layout) -> None:
    target = make.ReleaseTarget("3.13", "aarch64")
    wheels = tmp_path / "wheels"
    for name in (
        "appliance-0.1.0-py3-none-any.whl",
        "pip-26.0-py3-none-any.whl",
        "spidev-3.8-cp313-cp313-linux_aarch64.whl",
        "numpy-2.3.1-cp313-cp313-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
        "ai_edge_litert-2.0.3-cp311-abi3-manylinux_2_17_aarch64.whl",
    ):
        wheel(wheels, name)
    made = make.make_release(make.PACKAGE.parent, wheels, tmp_path / "out" / "0.1.0", "0.1.0", target)
    make.sign(made, key)
    lines = (made / "requirements.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [
        "ai-edge-litert==2.0.3", "appliance==0.1.0", "numpy==2.3.1", "spidev==3.8"
    ]  # fmt: skip
    assert all("--hash=sha256:" in line for line in lines)
    assert command.manifest.read(made, site.signers).python == "3.13"
    assert {"appliance.service", "appliance-settle.service"} <= {file.name for file in (made / "systemd").iterdir()}
    with pytest.raises(UpdateError, match="is not version"):
        make.make_release(make.PACKAGE.parent, wheels, tmp_path / "out" / "0.2.0", "0.2.0", target)


@pytest.mark.parametrize(
    "name",
    [
        "numpy-2.3.1-cp313-cp313-manylinux_2_28_x86_64.whl",
        "numpy-2.3.1-cp311-cp311-manylinux_2_28_aarch64.whl",
        "a.whl",
    ],
)
def test_wheels_of_other_machines_are_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="is no wheel for Python"):
        make.requirements([wheel(tmp_path, name)], make.ReleaseTarget("3.13", "aarch64"))
