"""In: a child process one of whose threads fails. Out: the process ends, so that its supervisor replaces it."""

from __future__ import annotations

import subprocess
import sys

CHILD = """
import threading, time
from appliance.engines import host
threading.excepthook = host._thread_died
threading.Thread(target=lambda: 1 / 0, name="capture").start()
time.sleep(30)
"""


def test_a_child_ends_with_its_thread() -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert child.returncode == 1
    assert "'capture'" in child.stderr
    assert "ZeroDivisionError" in child.stderr
