"""In: /proc, /sys and the I2C bus. Out: the boards that are here, each with the reason why it is believed to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.panel.boards.board import Board
from appliance.panel.boards.i2c import answers
from appliance.panel.boards.registry import BOARDS

HEADER_BUS = 1
"""I2C bus of the 40-pin header on every Raspberry Pi that has one."""


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the machine is looked at; a test gives its own."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    answers: Callable[[Path, int], bool] = field(default=answers)


@dataclass(frozen=True, slots=True)
class Found:
    """A board, or a HAT that nobody knows (`board` is None)."""

    board: Board | None
    why: str
    usable: bool = True
    """Whether it can be used as it is; a HAT whose overlay is not loaded has no microphone yet."""


def detect(roots: Roots | None = None) -> tuple[Found, ...]:
    """What is here: by USB id, HAT EEPROM and I2C, the surest first. Blocks for a few milliseconds."""
    roots = roots or Roots()
    return (*_on_usb(roots), *_on_header(roots))


def _on_usb(roots: Roots) -> list[Found]:
    here = set()
    for device in sorted((roots.sys / "bus/usb/devices").glob("*")):
        vendor, product = _read(device / "idVendor"), _read(device / "idProduct")
        if vendor and product:
            here.add((int(vendor, 16), int(product, 16)))
    return [
        Found(board, f"USB device {board.usb[0]:04x}:{board.usb[1]:04x}") for board in BOARDS if board.usb in here
        if board.usb is not None
    ]  # fmt: skip


def _on_header(roots: Roots) -> list[Found]:
    product, vendor = (_read(roots.proc / "device-tree/hat" / name) for name in ("product", "vendor"))
    named = f"HAT EEPROM says '{product}' by '{vendor or 'nobody'}'" if product else ""
    for board in BOARDS:
        reasons = [reason for address in board.i2c if (reason := _codec(roots, board, address))]
        if board.i2c and len(reasons) == len(board.i2c):
            why = ", ".join(filter(None, (named if _is_named(board, product) else "", *reasons)))
            return [Found(board, why)]
    if product is None:
        return []
    for board in BOARDS:
        if _is_named(board, product):
            # both 2-Mic HATs go by one name: without their codec on the bus nobody can tell which
            alike = [other.name for other in BOARDS if _is_named(other, product)]
            doubt = f"; it may be {' or '.join(alike)}" if len(alike) > 1 else ""
            why = f"{named}, but no codec answers on I2C{doubt}: load its overlay (overlays/README.md)"
            return [Found(board, why, usable=False)]
    return [Found(None, f"{named}, which is not known here", usable=False)]


def _is_named(board: Board, product: str | None) -> bool:
    return bool(product and board.hat and all(word in product.lower() for word in board.hat))


def _codec(roots: Roots, board: Board, address: int) -> str | None:
    """Why the codec is believed to be at `address`; None if it is not."""
    driver = _read(roots.sys / f"bus/i2c/devices/{HEADER_BUS}-{address:04x}/name")
    if driver is not None:
        return f"the kernel has {driver} at I2C 0x{address:02x}" if driver in board.kernel_names else None
    bus = roots.dev / f"i2c-{HEADER_BUS}"
    if bus.exists() and roots.answers(bus, address):
        return f"a chip answers at I2C 0x{address:02x}"
    return None


def _read(file: Path) -> str | None:
    """A small file of the kernel's, without its trailing NUL or newline; None if it cannot be read."""
    try:
        return file.read_bytes().decode(errors="replace").strip("\0\n ") or None
    except OSError:
        return None
