"""In: a static busybox, kernel modules. Out: the first file system of a boot: it loads them and goes over to the disk."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterable
from pathlib import Path

INIT = b"""#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do /bin/busybox insmod $module || echo "vm: $module is not loaded"; done
until [ -b /dev/vda ] && [ -b /dev/vdb ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount -t ext4 -o ro /dev/vdb /root/vm
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /bin/sh /vm/init
"""
FOLDER, FILE = 0o040755, 0o100755


def newc(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """A cpio archive in the kernel's format (buffer-format.rst: 'newc'): names, modes, contents."""
    out = bytearray()
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4)
        out += content
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(busybox: Path, modules: Iterable[Path]) -> bytes:
    """The archive; `modules` are loaded in their order."""
    entries = [(name, FOLDER, b"") for name in ("bin", "dev", "root", "modules")]
    entries += [("bin/busybox", FILE, busybox.read_bytes()), ("init", FILE, INIT)]
    for place, module in enumerate(modules):
        raw = lzma.decompress(module.read_bytes()) if module.suffix == ".xz" else module.read_bytes()
        entries.append((f"modules/{place:02d}-{module.name.removesuffix('.xz')}", FILE, raw))
    return gzip.compress(newc(entries), 1)
