"""In: bytes on a socket. Out: Wyoming events with every length bounded, and one EngineError for every way it can fail.

The framing is the Wyoming protocol's: a JSON line, then optional data and payload of announced lengths. The library's
own reader answers rubbish with AttributeError, KeyError or None and accepts any length, so reading is done here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from wyoming.event import Event, async_write_event

from appliance.errors import EngineError

LINE_BYTES = 64 * 1024
DATA_BYTES = 1024 * 1024
PAYLOAD_BYTES = 4 * 1024 * 1024
GRACE_S = 0.2
"""A receive that timed out looks once more for what lies in the socket."""


class Liveness(Protocol):
    """Tells a peer that hangs from one that only waits for a CPU."""

    async def outlast(self, word: asyncio.Future[Any], limit_s: float) -> bool:
        """Waits until `word` is done, or the peer was silent for `limit_s` by its own fault; whether it is done."""


class Connection:
    """One end of a Wyoming connection. Closing it is how everything in flight on it is cancelled."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stage: str, peer: str = "peer"
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._sending = asyncio.Lock()
        self.stage = stage
        self.peer = peer
        self.watch: Liveness | None = None
        """Set by who knows the peer's process: then time in which that had no CPU does not count for `receive`."""

    async def send(self, event: Event, timeout_s: float = 5.0) -> None:
        """Writes one event and waits until the peer takes it. Raises EngineError on a dead or stuck peer."""
        try:
            async with asyncio.timeout(timeout_s), self._sending:
                await async_write_event(event, self._writer)
        except TimeoutError as error:
            raise self._error("send-timeout", f"took nothing for {timeout_s:g} s") from error
        except (OSError, RuntimeError) as error:
            raise self._error("send-failed", f"closed its connection ({error})") from error

    async def receive(self, timeout_s: float | None = None) -> Event:
        """The next event. Raises EngineError on end of stream, time-out, or anything that is not Wyoming."""
        reading = asyncio.ensure_future(self._read())
        try:
            if self.watch is not None and timeout_s is not None:
                await self.watch.outlast(reading, timeout_s)
            else:
                await asyncio.wait((reading,), timeout=timeout_s)
            if not reading.done():  # what came while this process itself was held up is read before the peer is blamed
                await asyncio.wait((reading,), timeout=GRACE_S)
            if not reading.done():
                raise self._error("receive-timeout", f"said nothing for {timeout_s:g} s")
            return reading.result()
        except asyncio.IncompleteReadError as error:
            raise self._error("truncated", "closed its connection in mid-message") from error
        except OSError as error:
            raise self._error("receive-failed", f"lost its connection ({error})") from error
        finally:
            reading.cancel()

    async def _read(self) -> Event:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                raise self._error("closed", "closed its connection") from error
            raise
        except asyncio.LimitOverrunError as error:
            raise self._error("garbage", f"sent a line of more than {LINE_BYTES} bytes") from error
        head = self._object(line)
        kind = head.get("type")
        if not isinstance(kind, str):
            raise self._error("garbage", "sent a message without a type")
        data = head.get("data") or {}
        if not isinstance(data, dict):
            raise self._error("garbage", "sent data that is no object")
        if length := self._length(head, "data_length", DATA_BYTES):
            data = data | self._object(await self._reader.readexactly(length))
        payload = None
        if length := self._length(head, "payload_length", PAYLOAD_BYTES):
            payload = await self._reader.readexactly(length)
        return Event(type=kind, data=data, payload=payload)

    def _object(self, text: bytes) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._error("garbage", "sent something that is not JSON") from error
        if not isinstance(value, dict):
            raise self._error("garbage", "sent JSON that is no object")
        return value

    def _length(self, head: dict[str, Any], key: str, most: int) -> int:
        length = head.get(key) or 0
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= most:
            raise self._error("garbage", f"announced a {key} of {str(length)[:20]} (0 to {most} are allowed)")
        return length

    def _error(self, code: str, what: str) -> EngineError:
        return EngineError(code, f"{self.peer} {what}.", self.stage)

    async def close(self) -> None:
        """Closes at once; never raises, waits at most half a second for the transport."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(0.5):
                await self._writer.wait_closed()

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def connect(uri: str, stage: str, timeout_s: float = 2.0) -> Connection:
    """Connects to `unix:///path` or `tcp://host:port`. Raises EngineError(code 'unreachable')."""
    parts = urlsplit(uri)
    try:
        async with asyncio.timeout(timeout_s):
            if parts.scheme == "unix":
                reader, writer = await asyncio.open_unix_connection(parts.path, limit=LINE_BYTES)
            else:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=LINE_BYTES)
    except (OSError, TimeoutError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error))
        raise EngineError("unreachable", f"The {stage} engine cannot be reached: {reason}.", stage) from error
    return Connection(reader, writer, stage, f"The {stage} engine")


Handler = Callable[[Connection], Awaitable[None]]


async def serve(socket: Path, stage: str, handler: Handler) -> asyncio.Server:
    """Serves on a Unix socket (0600). `handler` runs once a connection; whatever ends it, the connection is closed.

    An EngineError out of the handler is the peer going away or talking rubbish: it ends that connection only.
    """

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, stage, "The supervisor")
        try:
            await handler(connection)
        except EngineError:
            pass
        finally:
            await connection.close()

    socket.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(handle, str(socket), limit=LINE_BYTES)
    finally:
        os.umask(before)
