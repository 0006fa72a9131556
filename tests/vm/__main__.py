"""In: this checkout, qemu, a Debian mirror. Out: the device's program on the kernel's own GPIO drivers, timed (`make vm`)."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.vm import ground, machine
from tests.vm.figures import Check, Figure, checks, figures


def show(found: list[Figure], held: list[Check]) -> None:
    console = Console(width=110)
    table = Table(
        "measured in the virtual machine (emulated, about 20 times slower than the host)", "n", "p50 ms", "p95 ms"
    )
    for one in found:
        numbers = [f"{value:.0f}" if value is not None else "-" for value in (one.p50, one.p95)]
        table.add_row(one.title, str(one.n), *numbers)
    console.print(table)
    for check in held:
        console.print(f"{'ok  ' if check.ok else 'NOT '} {check.name}: {check.seen}", markup=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make vm", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    parser.add_argument("--presses", type=int, default=20, metavar="N", help="presses of each kind (default 20)")
    parser.add_argument(
        "--timeout", type=float, default=1500.0, metavar="S", help="the machine's longest life, seconds"
    )
    arguments = parser.parse_args()
    mirror = os.environ.get("APPLIANCE_MODELS__MIRROR")
    began_s = time.monotonic()
    try:
        ground.check()
        root = machine.root_disk()
        project = machine.project_disk(f"--presses {arguments.presses}", Path(mirror) if mirror else None)
        made_s = time.monotonic() - began_s
        told = list(machine.boot(root, project, arguments.timeout))
    except ground.Missing as error:
        sys.stderr.write(f"vm: {error}\n")
        return 1
    found, held = figures(told), checks(told, arguments.presses)
    if arguments.json:
        seconds = {"made": round(made_s, 1), "ran": round(time.monotonic() - began_s - made_s, 1)}
        about = {"machine": platform.machine(), "seconds": seconds, "told": told}
        sys.stdout.write(
            json.dumps({"measures": [asdict(f) for f in found], "checks": [asdict(c) for c in held], **about}) + "\n"
        )
    else:
        show(found, held)
    return 0 if all(check.ok for check in held) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *caught: sys.exit(143))  # so that the machine ends with this program
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
