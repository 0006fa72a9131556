"""Serves the page's files: the shell on `/`, own files under /static, the chart library under /vendor, the rings as JSON."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from appliance.hub.page.rings import rings

HERE = Path(__file__).parent
STATIC = HERE / "static"
VENDOR = HERE / "vendor"
"""Filled by `make hub-assets`; without it the page says so and shows numbers for curves."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script or style stands in the page itself, and nothing comes from another host."""


def routes() -> list[BaseRoute]:
    """The page's routes, for the hub's application to take in."""
    return [
        Route("/", _shell),
        Route("/rings.json", _rings),
        Mount("/static", StaticFiles(directory=STATIC)),
        Mount("/vendor", StaticFiles(directory=VENDOR, check_dir=False)),
    ]


async def _shell(request: Request) -> Response:
    return FileResponse(
        STATIC / "index.html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}
    )


async def _rings(request: Request) -> Response:
    return JSONResponse(rings(), headers={"Cache-Control": "max-age=86400"})
