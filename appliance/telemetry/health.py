"""In: HTTP on the local machine. Out: `/health` (JSON, 200 or 503) and `/metrics` (Prometheus' text format)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from appliance.settings.telemetry import HealthSettings
from appliance.telemetry.metrics.prometheus import exposition

log = logging.getLogger(__name__)

DEADLINE_S = 5.0
LARGEST_HEAD = 8192
AT_ONCE = 8
MOST_OPEN = 64
"""Connections, of which most say nothing; one more is closed at once."""
RETRY_S = 30.0


class HealthEndpoint:
    """Answers GET, closes after each answer, serves AT_ONCE callers and turns the rest away."""

    def __init__(self, settings: HealthSettings, health: Callable[[], dict[str, Any]], device: str) -> None:
        self._settings = settings
        self._health = health
        self._device = device
        self._busy = 0
        self._open = 0

    async def run(self) -> None:
        """Serves until cancelled. A port that is taken is said, and tried again."""
        while True:
            try:
                server = await asyncio.start_server(
                    self._serve, self._settings.address, self._settings.port, limit=LARGEST_HEAD
                )
            except OSError as error:
                where = f"{self._settings.address}:{self._settings.port}"
                log.warning("health: cannot serve on %s (%s).", where, error.strerror)
                await asyncio.sleep(RETRY_S)
                continue
            async with server:
                await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= MOST_OPEN:  # half-open connections would eat the descriptors that the children need
            writer.close()
            return
        self._open += 1
        self._busy += 1
        try:
            async with asyncio.timeout(DEADLINE_S):
                status, kind, body = await self._answer(reader)
                head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError, TimeoutError):
            log.debug("health: a caller went away or was too slow")
        finally:
            self._busy -= 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(DEADLINE_S):
                    await writer.wait_closed()
            self._open -= 1

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, str, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
        path = rest.split(" ")[0].split("?")[0]
        if self._busy > AT_ONCE:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"busy\n"
        if method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET only\n"
        if path == "/health":
            health = self._health()
            status = HTTPStatus.OK if health["healthy"] else HTTPStatus.SERVICE_UNAVAILABLE
            return status, "application/json", json.dumps(health).encode()
        if path == "/metrics":
            text = exposition(self._health(), self._device)
            return HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", text.encode()
        return HTTPStatus.NOT_FOUND, "text/plain", b"/health and /metrics are here\n"
