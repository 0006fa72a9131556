"""In: the hub's settings. Out: everything wired: started in order, stopped in reverse. Nobody else knows all rooms."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from appliance.errors import ApplianceError
from appliance.hub.access import token
from appliance.hub.access.local import LocalOnly, is_local
from appliance.hub.api import live, orders, past
from appliance.hub.commands.desk import Desk
from appliance.hub.fleet.fleet import Fleet
from appliance.hub.page import routes as page_routes
from appliance.hub.reception.address import address
from appliance.hub.reception.broker import Broker
from appliance.hub.reception.inbox import Inbox, Received
from appliance.hub.reception.url import broker_url
from appliance.hub.store.history import History
from appliance.hub.store.query import Reader, reading
from appliance.hub.stream.sse import Streams
from appliance.settings.hub import HubSettings

log = logging.getLogger(__name__)

LOOK_S = 1.0
STOP_S = 5.0


class StartError(ApplianceError, OSError):
    """The hub cannot begin: its address is taken, or its folder is not there."""


def identity(folder: Path) -> str:
    """This hub's name at the broker: made once, kept in its folder, so that the broker knows it again.

    Raises StartError where the folder cannot be written.
    """
    file = folder / "hub-id"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            file.write_text(secrets.token_hex(4), encoding="ascii")
        name = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError("no-folder", f"{folder} cannot be used: {error}.") from error
    return name if re.fullmatch(r"[0-9a-f]{8}", name) else secrets.token_hex(4)


class Hub:
    """The rooms and how they hang together. Made by `serve`; routes read it."""

    def __init__(self, settings: HubSettings) -> None:
        self.settings = settings
        self.started_s = time.time()
        self.fleet = Fleet()
        self.inbox = Inbox(self._take)
        url = broker_url(settings.mqtt, settings.mqtt_password_file, settings.mqtt_ca_file)
        self.streams = Streams(self.fleet, self.status)
        name = f"appliance-hub-{identity(settings.data_dir)}"
        self.broker = Broker(url, settings.prefix, name, self.inbox, settings.share, self._broker_changed)
        self.history = History(settings.data_dir, settings.history_mb * 1_000_000)
        self.reader: Reader = reading(self.history)
        self.token = token.make()
        self.desk = Desk(self.fleet, self.broker, settings.prefix, name, self.history.audit)
        self._loop: asyncio.AbstractEventLoop | None = None

    def _take(self, received: Received) -> None:
        where = address(self.settings.prefix, received.topic)
        if where is None:
            self.fleet.refused_topics += 1
        else:
            self.fleet.take(where, received.payload, received.retain, received.correlation)

    def _broker_changed(self) -> None:
        """On paho's thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
                self._loop.call_soon_threadsafe(self.streams.status_changed)

    def status(self) -> dict[str, Any]:
        """How hub and broker stand: the `hub` event of every stream, and `/health`."""
        standing, kept = self.broker.standing, self.history.standing
        return {
            "at": round(time.time(), 3),
            "epoch": self.fleet.epoch,
            "number": self.fleet.number,
            "started": round(self.started_s, 3),
            "devices": len(self.fleet.devices),
            "broker": {
                "connected": standing.connected,
                "since": round(standing.since_s, 3),
                "trouble": standing.trouble,
                "dropped": standing.dropped,
                "clients": standing.clients,
                "version": standing.version,
            },
            "inbox": {"waiting": len(self.inbox), "dropped": self.inbox.dropped},
            "history": {
                "condition": kept.condition.value,
                "sentence": kept.sentence,
                "written": kept.written,
                "dropped": kept.dropped,
                "size_bytes": kept.size_bytes,
            },
            "share": self.settings.share,
        }

    def guard(self, headers: Mapping[str, str]) -> None:
        """Raises UsageError unless it is our own page that asks for something to be done."""
        token.check(headers, self.token)

    async def look(self) -> None:
        """Finds silence once a second, until cancelled."""
        while True:
            self.fleet.look()
            await asyncio.sleep(LOOK_S)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything behind the page, as long as it is entered."""
        self._loop = asyncio.get_running_loop()
        self.history.follow(self.fleet)
        self.fleet.follow(self.desk)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self.inbox.run(), name="inbox"),
                tasks.create_task(self.look(), name="look"),
            ]
            self.broker.start()
            try:
                yield
            finally:
                await asyncio.to_thread(self.broker.stop)
                for task in running:
                    task.cancel()
                await asyncio.to_thread(self.history.close)

    def web(self) -> Starlette:
        """The routes: API first, the page behind them."""
        all_routes: list[BaseRoute] = [
            *live.routes(self), *past.routes(self), *orders.routes(self), *page_routes(self)
        ]  # fmt: skip
        return Starlette(routes=all_routes, middleware=[Middleware(LocalOnly)])


class _Server(uvicorn.Server):
    """Closes the streams before it waits for open connections: they never end by themselves."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Without uvicorn's raising the signal once more at the end: the broker still wants a goodbye."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    @property
    def interrupted(self) -> bool:
        return signal.SIGINT in self._captured_signals

    async def shutdown(self, sockets: Any = None) -> None:
        self._streams.closing.set()
        await super().shutdown(sockets)


async def serve(settings: HubSettings) -> None:
    """Runs the hub until it is told to stop (SIGTERM, SIGINT). Raises ApplianceError where it cannot begin.

    uvicorn: one process, no dependency but h11 and click, and what the hub needs of HTTP/1.1 it has; HTTP/2 belongs
    to a proxy in front.
    """
    host, port = settings.address()
    if not is_local(host):
        raise StartError(
            "not-local", f"hub.listen: {host} is open to the network, and the hub asks for no password yet."
        )
    hub = Hub(settings)
    config = uvicorn.Config(
        hub.web(), host=host, port=port, log_config=None, access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=int(STOP_S), timeout_keep_alive=30, limit_concurrency=1000,
        ssl_certfile=settings.tls_cert_file, ssl_keyfile=settings.tls_key_file, http="h11",
    )  # fmt: skip
    server = _Server(config, hub.streams)
    try:
        async with hub.running():
            await server.serve()
        if server.interrupted:
            raise KeyboardInterrupt
    except SystemExit as error:  # uvicorn leaves so when the address is taken
        raise StartError("no-address", f"{settings.listen} cannot be listened on: see the log above.") from error
