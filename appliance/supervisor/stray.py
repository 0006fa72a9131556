"""In: what native libraries of a child write on standard error. Out: debug lines, and the last words of a child that died.

alsa-lib, TensorFlow Lite and onnxruntime talk to whoever owns the terminal. The child's own log has a descriptor of its own
(engines/host.py), so nothing that is meant for people goes this way. The pipe is read here and not in the child, because a
library that ends the process says why just before.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque

log = logging.getLogger(__name__)

LINE_BYTES = 400
"""A longer line is cut."""
KEPT_LINES = 3


class StrayOutput(asyncio.Protocol):
    """One child's pipe. `write_fd` goes to the child as its standard error."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._transport: asyncio.BaseTransport | None = None
        self.write_fd = -1

    async def open(self) -> None:
        """Makes the pipe. What cannot be taken at once is lost: a library must not wait for the log."""
        read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.write_fd, False)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: self, os.fdopen(read_fd, "rb", buffering=0)
        )

    def close_write_end(self) -> None:
        """Once the child has its copy, or there is no child: ours would keep the pipe open for ever."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            if text := line[:LINE_BYTES].decode("utf-8", "replace").strip():
                self._last.append(text)
                log.debug("%s: %s", self._name, text)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @property
    def last_words(self) -> str:
        """The last lines, or an empty text."""
        return " | ".join(self._last)
