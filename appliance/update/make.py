"""In: a checkout, a folder of wheels, a key. Out: a signed release for one Python and machine (`scripts/release`).

Runs on the control host; the updater's own file (updater.pyz) is made here, too. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import appliance
from appliance.errors import ApplianceError, UpdateError
from appliance.update.manifest import MANIFEST, NAMESPACE, SIGNATURE
from appliance.update.version import is_version

PACKAGE = Path(appliance.__file__).parent
EXAMPLE = "scripts/release --key ~/.ssh/appliance-release --wheels build/wheelhouse/3.13-aarch64 --target 3.13-aarch64"
WHEEL = re.compile(
    r"^(?P<name>[^-]+)-(?P<version>[^-]+)(?:-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl$"
)
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of the zip format: the same source makes the same bytes, whenever it is packed."""
SPARE_BYTES = 60_000_000
"""Byte code that the device compiles, and the file system's blocks."""
SIGN_S = 300.0
"""A passphrase may be asked for."""


@dataclass(frozen=True, slots=True)
class ReleaseTarget:
    """What a release is for."""

    python: str
    """3.13, say."""
    machine: str
    """aarch64 or x86_64."""


def this_target() -> ReleaseTarget:
    return ReleaseTarget(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())


def target_of(text: str) -> ReleaseTarget:
    """Reads 3.13-aarch64. Raises UpdateError."""
    python, _, machine = text.partition("-")
    if not re.fullmatch(r"3\.\d{1,2}", python) or machine not in ("aarch64", "x86_64"):
        raise UpdateError("bad-target", f"'{text[:40]}' is no target such as 3.13-aarch64.")
    return ReleaseTarget(python, machine)


def pack(file: Path) -> Path:
    """The updater as one file that needs nothing but Python: /opt/appliance/updater.pyz."""
    sources = [PACKAGE / "__init__.py", PACKAGE / "errors.py", *sorted((PACKAGE / "update").glob("*.py"))]
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sources:
            if source.name != "make.py":
                _add(archive, str(source.relative_to(PACKAGE.parent)), source.read_bytes())
        start = b"import sys\nfrom appliance.update.__main__ import main\nsys.exit(main())\n"
        _add(archive, "__main__.py", start)
    return file


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, FIRST_DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


def requirements(wheels: Iterable[Path], target: ReleaseTarget) -> str:
    """Every wheel with its hash, for pip's --require-hashes. Raises UpdateError where one is not for `target`."""
    lines: dict[str, str] = {}
    for wheel in sorted(wheels):
        found = WHEEL.fullmatch(wheel.name)
        if found is None or not fits(found, target):
            raise UpdateError("bad-wheel", f"{wheel.name} is no wheel for Python {target.python} on {target.machine}.")
        name = re.sub(r"[-_.]+", "-", found["name"]).lower()
        if name in lines:
            raise UpdateError("bad-wheel", f"There are two wheels of {name}; take one away.")
        if name != "pip":  # it installs, and is not installed
            lines[name] = f"{name}=={found['version']} --hash=sha256:{_sha256(wheel)}\n"
    if "appliance" not in lines:
        raise UpdateError("bad-wheel", "There is no wheel of the appliance itself.")
    return "".join(lines.values())


def fits(wheel: re.Match[str], target: ReleaseTarget) -> bool:
    """Whether a wheel's tags (PEP 425) take this Python and machine."""
    platforms = wheel["platform"].split(".")
    if "any" not in platforms and not any(each.endswith(f"_{target.machine}") for each in platforms):
        return False
    minor = int(target.python.partition(".")[2])
    for tag in wheel["python"].split("."):
        number = int(tag[3:]) if re.fullmatch(r"(cp|py)3\d{1,2}", tag) else None
        if tag == "py3" or (number is not None and tag.startswith("py") and number <= minor):
            return True
        if number is not None and (number == minor or ("abi3" in wheel["abi"] and number <= minor)):
            return True
    return False


def make_release(source: Path, wheels: Path, out: Path, version: str, target: ReleaseTarget) -> Path:
    """An unsigned release in `out`; what was there goes. Raises UpdateError."""
    if not is_version(version):
        raise UpdateError("bad-version", f"'{version[:40]}' is no version such as 1.2.3.")
    found = sorted(wheels.glob("*.whl"))
    listed = requirements(found, target)
    if not any(wheel.name.startswith("pip-") for wheel in found):
        raise UpdateError("bad-wheel", f"There is no wheel of pip in {wheels}; 'scripts/wheelhouse' brings one.")
    if f"appliance=={version} " not in listed:
        raise UpdateError("bad-version", f"The wheel of the appliance in {wheels} is not version {version}.")
    shutil.rmtree(out, ignore_errors=True)
    for name, files in (
        ("wheels", found),
        ("systemd", (source / "systemd").iterdir()),
        ("overlays", _overlays(source)),
    ):
        (out / name).mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, out / name / file.name)
    (out / "requirements.txt").write_text(listed)
    pack(out / "updater.pyz")
    write_manifest(out, version, target)
    return out


def _overlays(source: Path) -> list[Path]:
    """Compiled ones (`make overlays`), and the sources."""
    return [*sorted((source / "overlays").glob("*.dts")), *sorted((source / "build" / "overlays").glob("*.dtbo"))]


def write_manifest(folder: Path, version: str, target: ReleaseTarget) -> None:
    """What is in the release, with sizes and hashes."""
    files, installed = {}, SPARE_BYTES
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in (MANIFEST, SIGNATURE):
            files[name] = {"size": path.stat().st_size, "sha256": _sha256(path)}
            installed += _unpacked(path)
    table = {"version": version, "python": target.python, "machine": target.machine, "installed_bytes": installed}
    (folder / MANIFEST).write_text(json.dumps({**table, "files": files}, indent=1) + "\n")


def _unpacked(path: Path) -> int:
    if path.suffix == ".whl" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            return sum(entry.file_size for entry in wheel.infolist())
    return path.stat().st_size


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sign(folder: Path, key: Path) -> None:
    """Signs the manifest; asks for the key's passphrase where it has one. Raises UpdateError."""
    (folder / SIGNATURE).unlink(missing_ok=True)
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(folder / MANIFEST)]
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=SIGN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError("not-signed", f"The release cannot be signed: {error}.") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["ssh-keygen said nothing"])[-1]
        raise UpdateError("not-signed", f"The release cannot be signed: {said[:200]}.")


def archive(folder: Path) -> Path:
    """The release as one file, which is what travels: VERSION.tar beside the folder. Wheels are packed already."""
    part, file = folder.with_name(f"{folder.name}.tar.part"), folder.with_name(f"{folder.name}.tar")
    with tarfile.open(part, "w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_plain)
    return part.replace(file)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's, of no time: the same release makes the same file."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/release", description="Makes and signs a release.", epilog=f"example: {EXAMPLE}"
    )
    parser.add_argument("--wheels", type=Path, help="folder of wheels (scripts/wheelhouse makes it)")
    parser.add_argument("--target", default=None, help="Python and machine, such as 3.13-aarch64; default: this one's")
    parser.add_argument("--key", type=Path, help="private key that signs; without one the release stays unsigned")
    parser.add_argument("--out", type=Path, default=Path("build/releases"), help="folder of releases")
    parser.add_argument("--updater", type=Path, metavar="FILE", help="only make the updater, for a bare device")
    args = parser.parse_args(argv)
    try:
        if args.updater is not None:
            pack(args.updater)
            return 0
        target = target_of(args.target) if args.target else this_target()
        version, name = appliance.__version__, f"{target.python}-{target.machine}"
        wheels = args.wheels or Path("build/wheelhouse") / name
        made = make_release(PACKAGE.parent, wheels, args.out / name / version, version, target)
        if args.key is not None:
            sign(made, args.key)
        print(archive(made))  # noqa: T201 - a command's output
        return 0
    except ApplianceError as error:
        sys.stderr.write(f"release: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
