"""In: a kernel, a tree, wheels, this checkout. Out: a virtual machine that ran the hand; the lines it told."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vm import ground
from tests.vm.initramfs import initramfs

MEMORY_MB = 1536
SLACK_MB = 200


def disk(image: Path, folder: Path) -> None:
    """An ext4 image with the contents of `folder`; written beside and renamed."""
    size_mb = sum(file.lstat().st_size + 4096 for file in folder.rglob("*")) // 1_000_000 + SLACK_MB
    part = image.with_suffix(".part")
    part.unlink(missing_ok=True)
    ground.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(folder), str(part), f"{size_mb}M"], 300)
    part.rename(image)


def root_disk() -> Path:
    """The Debian tree with the wheels in /site. Kept until one of them changes."""
    tree, site = ground.tree(), ground.site()
    image = ground.BUILD / f"{tree.name}-{site.name}.ext4"
    if not image.exists():
        with ground.whole(ground.BUILD / "root") as part:
            ground.run(["cp", "-a", "--reflink=auto", str(tree), str(part)], 300)
            ground.run(["cp", "-a", "--reflink=auto", f"{site}/.", str(part / "site")], 300)
        disk(image, ground.BUILD / "root")
        shutil.rmtree(ground.BUILD / "root")
    return image


def project_disk(arguments: str, models: Path | None) -> Path:
    """This checkout as it is now, models, and what the hand is told."""
    folder, image = ground.BUILD / "project", ground.BUILD / "project.ext4"
    shutil.rmtree(folder, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__", "build")
    for name in ("appliance", "tests/vm", "models"):
        shutil.copytree(ground.ROOT / name, folder / name, ignore=skip)
    (folder / "tests/__init__.py").touch()
    shutil.copy(folder / "tests/vm/guest/init", folder / "init")
    (folder / "arguments").write_text(arguments)
    if models is not None:
        shutil.copytree(models, folder / "mirror", symlinks=False)
    disk(image, folder)
    return image


def boot(root: Path, project: Path, timeout_s: float) -> Iterator[dict[str, Any]]:
    """Runs the machine until it goes off; what the hand tells. Its console is in build/vm/console.log."""
    kernel, modules = ground.kernel()
    first = ground.BUILD / "initramfs.gz"
    first.write_bytes(initramfs(ground.tree() / "usr/bin/busybox", modules))
    desk = ground.BUILD / "desk.jsonl"
    desk.unlink(missing_ok=True)
    command = [
        "nice", "-n", "10", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", str(MEMORY_MB),
        "-nodefaults", "-no-reboot", "-display", "none", "-nic", "none", "-kernel", str(kernel), "-initrd", str(first),
        "-append", "console=ttyS0 quiet panic=-1 mitigations=off audit=0",
        *_drive(root), *_drive(project),
        "-serial", f"file:{ground.BUILD / 'console.log'}", "-serial", f"file:{desk}",
    ]  # fmt: skip
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        machine.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise ground.Missing(f"The machine was not done after {timeout_s:.0f} s (build/vm/console.log).") from None
    finally:
        if machine.poll() is None:
            machine.kill()
            machine.wait()
    for line in desk.read_text().splitlines():
        yield json.loads(line)


def _drive(image: Path) -> tuple[str, str]:
    """A disk whose writes are forgotten."""
    return "-drive", f"file={image},format=raw,if=virtio,snapshot=on"
