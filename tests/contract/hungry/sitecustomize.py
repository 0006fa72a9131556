"""In: SIGUSR1, SIGUSR2. Out: a child at work for a while, or for ever: loads that tests can order in a real child.

Found by children through PYTHONPATH, which only these tests set.
"""

import os
import signal
import time

WORK_S = 2.5
"""By the clock on the wall: starved, the child gets a few hundredths of it."""
CPU_MOST_S = 0.5
"""So much work is no hang, where the machine does let the child run."""


def _work(number: int, frame: object) -> None:
    began_s, ran_s = time.monotonic(), time.thread_time()
    while time.monotonic() - began_s < WORK_S and time.thread_time() - ran_s < CPU_MOST_S:
        pass
    with open(os.environ["HUNGRY_REPORT"], "w", encoding="ascii") as report:  # noqa: PTH123  in a signal handler
        report.write(f"{time.monotonic() - began_s} {time.thread_time() - ran_s}")


def _loop(number: int, frame: object) -> None:
    while True:
        pass


signal.signal(signal.SIGUSR1, _work)
signal.signal(signal.SIGUSR2, _loop)
