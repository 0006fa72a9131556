"""In: paho's client and its socket. Out: both driven by the event loop: read and written when the kernel says so."""

from __future__ import annotations

import asyncio
from typing import Any

import paho.mqtt.client as paho

from appliance.telemetry.metrics.meter import Cost

AT_ONCE = 20
"""Packets read before the others in the event loop have their turn."""


def drive(client: paho.Client, sock: Any, loop: asyncio.AbstractEventLoop, cost: Cost) -> None:
    """Watches the socket from now on; what it takes is counted in `cost`. The caller ends it with `forget`."""

    def write() -> None:
        with cost:
            client.loop_write()
            if not client.want_write():
                _unwatch(loop, sock)

    def read() -> None:
        """Packets, and what TLS has decrypted already, which select cannot see; a flood yields to the others."""
        for _ in range(AT_ONCE):
            with cost:
                client.loop_read()
            if client.socket() is None or not (pending := getattr(sock, "pending", None)) or not pending():
                return
        loop.call_soon(read_on)

    def read_on() -> None:
        if client.socket() is sock:
            read()

    client.on_socket_register_write = lambda *_: loop.add_writer(sock, write)
    client.on_socket_unregister_write = lambda *_: _unwatch(loop, sock)
    loop.add_reader(sock, read)
    if client.want_write():
        loop.add_writer(sock, write)


def forget(loop: asyncio.AbstractEventLoop, sock: Any) -> None:
    """Stops watching a socket that is being closed."""
    if sock.fileno() >= 0:
        loop.remove_reader(sock)
        loop.remove_writer(sock)


def _unwatch(loop: asyncio.AbstractEventLoop, sock: Any) -> None:
    if sock.fileno() >= 0:
        loop.remove_writer(sock)
