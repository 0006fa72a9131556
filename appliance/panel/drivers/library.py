"""In: a folder for temporary files. Out: lgpio and gpiozero's factory on it, imported so that neither can end the program.

As it is imported, lgpio makes a FIFO `.lgd-nfyN` and opens it by its bare name: it leaves a file wherever somebody stands,
and in a folder that cannot be written (`/` for a user) it fails with FileNotFoundError '.lgd-nfy-3'. Both ends are open
after the import, so that a folder that lives as long as the import is enough.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from appliance.errors import DeviceError

WORK_DIR = "LG_WD"
"""Environment variable that tells lgpio's C part where to make its FIFO; its Python part looks in the current folder."""


@contextlib.contextmanager
def standing_in_a_new_folder() -> Iterator[None]:
    """The process stands in a temporary folder meanwhile: for the import alone, before there are threads."""
    before, told = os.open(".", os.O_RDONLY | os.O_DIRECTORY), os.environ.get(WORK_DIR)
    try:
        with tempfile.TemporaryDirectory(prefix="appliance-lgpio-") as folder:
            os.chdir(folder)
            os.environ[WORK_DIR] = folder
            try:
                yield
            finally:
                os.fchdir(before)
                os.environ.pop(WORK_DIR)
                if told is not None:
                    os.environ[WORK_DIR] = told
    finally:
        os.close(before)


_lgpio: Any = None
_factory: Any = None
_problem = ""
try:
    with standing_in_a_new_folder():
        import lgpio
        from gpiozero.pins.lgpio import LGPIOFactory
    _lgpio, _factory = lgpio, LGPIOFactory
except (ImportError, OSError) as _error:  # no such module for this Python; no folder to write in
    _problem = f"No GPIO: lgpio cannot be loaded ({_error})."


def open_chip(number: int) -> Any:
    """gpiozero's pin factory on chip `number`. Raises DeviceError without lgpio, else what lgpio raises."""
    if _factory is None:
        raise DeviceError("no-gpio", _problem)
    return _factory(chip=number)


def line_user(chip: int, pin: int) -> str | None:
    """The consumer of a line; None where nobody holds it or it cannot be told."""
    if _lgpio is None:
        return None
    try:
        handle = _lgpio.gpiochip_open(chip)
    except _lgpio.error:
        return None
    try:
        info = _lgpio.gpio_get_line_info(handle, pin)
        return str(info[4]) or None
    except _lgpio.error:
        return None
    finally:
        _lgpio.gpiochip_close(handle)
