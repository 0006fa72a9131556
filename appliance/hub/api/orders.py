"""In: what people do on the page. Out: commands at the devices, each answer shown; who may, and how often, is asked first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from appliance.errors import UsageError
from appliance.hub.api.answers import answer, refused
from appliance.telemetry.commands.commander import Bucket

if TYPE_CHECKING:
    from appliance.hub.app import Hub

LARGEST_BYTES = 64 * 1024
PER_SECOND = 5.0
"""Commands of all pages together, on average."""


def routes(hub: Hub) -> list[BaseRoute]:
    """`/api/me` and `/api/commands`."""
    bucket = Bucket(PER_SECOND)

    async def me(_request: Request) -> Response:
        return answer({"user": "local", "role": "operator", "csrf": hub.token})

    async def command(request: Request) -> Response:
        try:
            hub.guard(request.headers)
        except UsageError as error:
            return refused(error, 403)
        if not bucket.take():
            return refused(UsageError("too-many", "Too many commands at once: wait a moment."), 429)
        try:
            devices, name, args = _asked(await _body(request))
            results = await hub.desk.give(devices, name, args, "local")
        except UsageError as error:
            return refused(error, 400)
        return answer({"results": results})

    return [Route("/api/me", me), Route("/api/commands", command, methods=["POST"])]


async def _body(request: Request) -> bytes:
    """Raises UsageError for one that is too large."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > LARGEST_BYTES:
            raise UsageError("too-large", f"A command has at most {LARGEST_BYTES} bytes.")
    return bytes(taken)


def _asked(body: bytes) -> tuple[list[str], str, dict[str, Any]]:
    """Devices, command, its arguments. Raises UsageError."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("no-json", "A command is JSON: devices, command, args.") from error
    if not isinstance(asked, dict):
        raise UsageError("no-json", "A command is JSON: devices, command, args.")
    devices, name, args = asked.get("devices"), asked.get("command"), asked.get("args", {})
    if not isinstance(devices, list) or not all(isinstance(device, str) for device in devices):
        raise UsageError("bad-value", "devices takes a list of names.")
    if not isinstance(name, str) or not isinstance(args, dict):
        raise UsageError("bad-value", "command takes a name, args an object.")
    return devices, name, args
