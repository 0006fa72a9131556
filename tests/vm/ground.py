"""In: this machine's own apt sources and pip. Out: under build/vm a Debian tree, wheels, a kernel with its modules; kept.

Nothing is installed on this machine. Every step works in a folder `*.part` that is renamed when it is whole, so that an
interrupted run leaves nothing half-made behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "vm"
SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}
"""Debian by its Python: the tree's must be this environment's own, as the wheels are made with that one."""
PACKAGES = ["python3", "busybox-static", "libasound2-data", "libespeak-ng1", "alsa-utils", "libgomp1"]
MODULES = ("virtio_blk", "ext4", "gpio-sim", "snd-aloop")
"""What the kernel needs loaded: its disks, the simulated header, the loop of a sound card."""
KERNEL = re.compile(r"^linux-binary-(?:unsigned-)?(\d[\d.]*\+deb\d+-amd64)$")
OLDEST_KERNEL = (7, 0)
"""Debian's earlier kernels have no gpio-sim."""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "modprobe": "kmod",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}
"""Programs that are needed, and their Debian packages."""
BUILT = "lgpio>=0.2.2,<0.3"
"""Where there is no wheel of it; only Raspberry Pi OS has a package."""


class Missing(Exception):
    """Something that this machine lacks, in one sentence."""


def check() -> None:
    """Raises Missing where a program, a right or a Debian for this Python is not here."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    tools = {**TOOLS, "swig": "swig"} if builds() else TOOLS
    absent = [package for program, package in tools.items() if shutil.which(program) is None]
    if absent:
        raise Missing(
            f"The virtual machine needs Debian packages that are not here: apt-get install {' '.join(absent)}."
        )
    if os.geteuid() != 0:
        raise Missing("The virtual machine's Debian tree is made as root: run this as root.")
    if sys.version_info[:2] not in SUITES:
        raise Missing(f"No Debian has this Python {sys.version_info.major}.{sys.version_info.minor} as its own.")


def run(command: Sequence[str], timeout_s: float, **more: object) -> str:
    """A command's standard output. It gets no input; what it says goes to build/vm/build.log. Raises Missing if it fails."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "build.log").open("ab") as log:
        try:
            done = subprocess.run(
                ["nice", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                timeout=timeout_s, check=True, text=True, **more,  # type: ignore[call-overload]
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Missing(f"'{command[0]}' took longer than {timeout_s:.0f} s (build/vm/build.log).") from error
        except subprocess.CalledProcessError as error:
            raise Missing(f"'{command[0]}' failed with {error.returncode} (build/vm/build.log).") from error
    return str(done.stdout)


def mirror() -> str:
    """The Debian mirror of this machine's own apt sources."""
    sites = run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"], 30).split()
    for site in sites:
        if site.rstrip("/").endswith("/debian"):
            return site
    raise Missing("There is no Debian mirror among this machine's apt sources.")


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A folder that becomes `target` when all went well."""
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    yield part
    part.rename(target)


def tree() -> Path:
    """The Debian tree, without a kernel."""
    suite = SUITES[sys.version_info[:2]]
    target = BUILD / f"tree-{suite}-{_digest(*PACKAGES)}"
    if not target.exists():
        with whole(target) as part:
            include = f"--include={','.join(PACKAGES)}"
            run(["mmdebstrap", "--variant=minbase", include, suite, str(part), mirror()], 900)
            for folder in ("vm", "site"):
                (part / folder).mkdir()
    return target


def site() -> Path:
    """What the program depends on, installed by pip; the checkout itself is given to the machine at every run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *([BUILT] if builds() else [])]
    target = BUILD / f"site-{sys.version_info.minor}-{_digest(*wanted)}"
    if not target.exists():
        with whole(target) as part:
            command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(part), *wanted]
            # PYPI: lgpio's C library goes into its module, as in its wheels
            run(command, 900, env={**os.environ, "PYPI": "1"})
    return target


def builds() -> bool:
    """Whether lgpio has no wheel for this Python and is built."""
    return sys.version_info >= (3, 13)


def kernel() -> tuple[Path, list[Path]]:
    """The newest kernel of the backports, and its modules in the order in which they are loaded."""
    folder = BUILD / "kernel"
    if not folder.exists():
        with whole(folder) as part:
            _unpack_kernel(part)
    modules = folder / "usr/lib/modules"
    version = next(modules.iterdir()).name
    found = run(["modprobe", "-d", str(folder / "usr"), "-S", version, "--show-depends", "-a", *MODULES], 30)
    files = [Path(line.split()[1]) for line in found.splitlines() if line.startswith("insmod ")]
    return next((modules / version).glob("vmlinuz*")), list(dict.fromkeys(files))


def _unpack_kernel(part: Path) -> None:
    """Downloads past apt's own state, and unpacks."""
    apt = part / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    source = apt / "sources.list"
    source.write_text(f"deb [arch=amd64 signed-by={KEYRING}] {mirror()} trixie-backports main\n")
    told = {
        "Dir::Etc::sourcelist": source, "Dir::Etc::sourceparts": "/dev/null", "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache", "Dir::State::status": apt / "status", "APT::Architecture": "amd64",
        "APT::Architectures": "amd64", "APT::Sandbox::User": "root",
    }  # fmt: skip
    options = ["-q", *(word for key, value in told.items() for word in ("-o", f"{key}={value}"))]
    run(["apt-get", *options, "update"], 120)
    binary, version = newest(run(["apt-cache", *options, "pkgnames", "linux-"], 30).split())
    wanted = [binary, f"linux-modules-{version}", f"linux-base-{version}"]
    run(["apt-get", *options, "download", *wanted], 600, cwd=apt)
    for package in apt.glob("*.deb"):
        run(["dpkg-deb", "-x", str(package), str(part)], 120)
    shutil.rmtree(apt)
    run(["depmod", "-b", str(part / "usr"), version], 60)


def newest(packages: Sequence[str]) -> tuple[str, str]:
    """The newest kernel's package and version, of those that have their modules beside them. Raises Missing."""
    known, found = set(packages), []
    for package in packages:
        match = KERNEL.match(package)
        if match and f"linux-modules-{match[1]}" in known:
            number = tuple(int(part) for part in match[1].split("+")[0].split("."))
            found.append((number, package, match[1]))
    if not found or max(found)[0] < OLDEST_KERNEL:
        raise Missing("The mirror's trixie-backports hold no kernel from 7.0 on, which gpio-sim needs.")
    _, package, version = max(found)
    return package, version


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
