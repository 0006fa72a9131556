"""In: the fleet in memory. Out: health, metrics, the stream, devices as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from appliance.hub.api.answers import answer, refused
from appliance.hub.fleet.fleet import UnknownDeviceError
from appliance.hub.prometheus.exposition import exposition
from appliance.hub.stream.plain import Plain

if TYPE_CHECKING:
    from appliance.hub.app import Hub


def routes(hub: Hub) -> list[BaseRoute]:
    """What is now."""
    plain = Plain(hub.fleet)

    async def health(_request: Request) -> Response:
        return answer({"healthy": True, **hub.status()})

    async def metrics(_request: Request) -> Response:
        text = await exposition(hub.fleet)
        return Response(text, 200, media_type="text/plain; version=0.0.4")

    async def events(request: Request) -> Response:
        return hub.streams.respond(plain, request.headers.get("last-event-id"))

    async def devices(_request: Request) -> Response:
        return answer({"devices": hub.fleet.views(), "summary": hub.fleet.summary()})

    async def device(request: Request) -> Response:
        try:
            return answer({"device": hub.fleet.view(request.path_params["device"])})
        except UnknownDeviceError as error:
            return refused(error, 404)

    return [
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/events", events),
        Route("/api/devices", devices),
        Route("/api/devices/{device}", device),
    ]
