"""In: /dev. Out: I2C and SPI buses and whether this user may use them."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PATTERNS = {"I2C": "i2c-*", "SPI": "spidev*"}


@dataclass(frozen=True, slots=True)
class Bus:
    path: str
    kind: str
    """I2C or SPI."""
    usable: bool
    """This user may read and write it."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def buses(dev: Path = Path("/dev")) -> list[Bus]:
    """Every I2C and SPI bus that has a device file."""
    return [
        Bus(str(path), kind, os.access(path, os.R_OK | os.W_OK))
        for kind, pattern in PATTERNS.items()
        for path in sorted(dev.glob(pattern))
    ]
