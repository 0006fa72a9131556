"""In: what the supervisor knows of itself. Out: sd_notify datagrams, when systemd asked for them."""

from __future__ import annotations

import os
import socket


def notify(**fields: str | int) -> bool:
    """Sends fields such as READY=1, STATUS=…, WATCHDOG=1 (sd_notify(3)); False where no systemd listens. Never blocks."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    text = "\n".join(f"{key}={value}" for key, value in fields.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(text.encode(), address)
        except OSError:  # systemd is being restarted; the next one arrives
            return False
    return True


def watchdog_s() -> float | None:
    """Seconds between WATCHDOG=1 (half of what the unit asks for), or None where no watchdog watches this process."""
    usec, pid = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
    if not usec or (pid and int(pid) != os.getpid()):
        return None
    return int(usec) / 2e6
