"""What people see: `routes` gives the page's own routes; the hub mounts them behind its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from appliance.hub.app import Hub


def routes(hub: Hub) -> list[BaseRoute]:
    """The page on `/`."""

    async def fleet(request: Request) -> Response:
        rows = "".join(f'<li data-device="{view.id}">{view.id}: {view.condition}</li>' for view in hub.fleet.views())
        return HTMLResponse(f"<!doctype html><title>Fleet</title><ul>{rows}</ul>")

    return [Route("/", fleet)]
