"""In: SIGUSR1. Out: rubbish on every socket of this process: a fault that tests can order in a real child.

Found by children through PYTHONPATH, which only these tests set.
"""

import os
import signal
import stat


def _talk_rubbish(number: int, frame: object) -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  in a signal handler
        try:
            descriptor = int(name)
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"[1]\n\xff\xfe rubbish {}\n")
        except OSError:
            continue


signal.signal(signal.SIGUSR1, _talk_rubbish)
