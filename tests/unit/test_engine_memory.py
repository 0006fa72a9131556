"""An engine gives back pages that only loading needed, and goes on as before."""

from __future__ import annotations

import json
import subprocess
import sys

from appliance.engines.memory import untouched_areas

PROGRAM = """
import json
import numpy as np
from pathlib import Path
from appliance.engines.memory import let_go_of_files, memory_mb

def file_kb():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}

def work():
    return float(np.linalg.solve(np.eye(50) * 2 + 1, np.arange(50.0)).sum()), json.loads(json.dumps({"a": [1.5]}))

expected, held, before = work(), memory_mb(), file_kb()
let_go_of_files()
held_then, after = memory_mb(), file_kb()
print(json.dumps([before, after, held, held_then, work() == expected]))
"""


def test_pages_of_libraries_go_and_come_again() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, after, held_mb, held_then_mb, right = json.loads(done.stdout)
    assert right
    assert after["Rss"] - after["Anonymous"] < (before["Rss"] - before["Anonymous"]) / 2
    assert after["Anonymous"] >= before["Anonymous"], "what was written to stays"
    assert held_then_mb <= held_mb


AREA = "7f0000001000-7f0000003000 r--p 00000000 fe:01 4242                       /usr/lib/x.so\n"


def areas(rss: int, anonymous: int, swap: int) -> list[tuple[int, int]]:
    facts = f"Size: 8 kB\nRss: {rss} kB\nAnonymous: {anonymous} kB\nSwap: {swap} kB\nVmFlags: rd mr mw me\n"
    return list(untouched_areas((AREA + facts + AREA.replace("r--p", "rw-p") + facts).splitlines()))


def test_only_pages_that_are_surely_the_files_own_go() -> None:
    assert areas(8, 0, 0) == [(0x7F0000001000, 0x7F0000003000)]
    assert areas(8, 4, 0) == [], "written to"
    assert areas(4, 0, 4) == [], "written to, then swapped out"
    assert areas(0, 0, 0) == [], "an emulator that tells nothing"


def test_a_kernel_without_the_facts_keeps_everything() -> None:
    assert list(untouched_areas((AREA + "Rss: 8 kB\n").splitlines())) == []
