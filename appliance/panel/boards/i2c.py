"""In: an I2C bus and an address. Out: whether a chip answers there."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path

I2C_SLAVE, I2C_SMBUS = 0x0703, 0x0720
"""Requests of linux/i2c-dev.h."""
QUICK_WRITE = struct.Struct("BBIP").pack(0, 0, 0, 0)
"""struct i2c_smbus_ioctl_data: write, no command, I2C_SMBUS_QUICK, no data. The WM8960 cannot be read, so that only a
write tells whether it is there; a quick one changes nothing (i2cdetect does the same)."""


def answers(bus: Path, address: int) -> bool:
    """Whether a chip acknowledges `address`; one that a kernel driver holds does. Blocks for some 0.1 ms."""
    try:
        descriptor = os.open(bus, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.ioctl(descriptor, I2C_SLAVE, address)
        fcntl.ioctl(descriptor, I2C_SMBUS, QUICK_WRITE)
    except OSError as error:
        return error.errno == errno.EBUSY
    finally:
        os.close(descriptor)
    return True
