"""In: the work of telemetry, piece by piece. Out: what it costs: CPU time, and bytes on the wire."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from types import TracebackType
from typing import Any

TCP_INFO_BYTES = 136
BYTES_AT = 120
"""Of tcpi_bytes_acked in struct tcp_info (linux/tcp.h); tcpi_bytes_received follows. Both 64 bits, since Linux 4.1."""


class Cost:
    """`with cost:` counts the CPU time of this thread in the block; a block within a block is counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._began_s = 0.0

    def __enter__(self) -> None:
        if self._depth == 0:
            self._began_s = time.thread_time()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.thread_time() - self._began_s

    def add(self, seconds: float) -> None:
        """CPU time that another thread took for it."""
        self.seconds += seconds


class Traffic:
    """Bytes that TCP carried over one socket after another, TLS and acknowledgements of MQTT included."""

    def __init__(self) -> None:
        self._ended = (0, 0)
        self._now = (0, 0)

    def look(self, sock: Any) -> None:
        """Reads the kernel's count of the present socket; nothing where it is gone or not TCP."""
        with contextlib.suppress(OSError, struct.error, AttributeError):
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
            sent, received = struct.unpack_from("=QQ", info, BYTES_AT)
            self._now = (received, sent)

    def ended(self) -> None:
        """The socket is closed: the next one counts from 0."""
        self._ended, self._now = (self.received, self.sent), (0, 0)

    @property
    def received(self) -> int:
        return self._ended[0] + self._now[0]

    @property
    def sent(self) -> int:
        """Acknowledged by the broker's host."""
        return self._ended[1] + self._now[1]
