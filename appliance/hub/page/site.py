"""Serves the page: the shell on `/` with the devices as they stand, own files under /static, the rings as JSON."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from appliance.hub.page.rings import rings

if TYPE_CHECKING:
    from appliance.hub.app import Hub

STATIC = Path(__file__).parent / "static"
VENDOR = Path(__file__).parent / "vendor"
"""The chart library (`make hub-assets`); without it the page shows numbers where it would draw curves."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script or style stands in the page itself, and nothing comes from another host."""
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
}
FIRST_ROWS = 200
"""Devices that stand in the page before its script runs, the worst first; the stream brings all."""


def routes(hub: Hub) -> list[BaseRoute]:
    """The page's routes, for the hub's application to take in."""
    shell = (STATIC / "index.html").read_text(encoding="utf-8")

    async def page(_request: Request) -> Response:
        return HTMLResponse(shell.replace("{devices}", _first_rows(hub)), headers=HEADERS)

    async def films(_request: Request) -> Response:
        return JSONResponse(rings(), headers={"Cache-Control": "max-age=86400"})

    vendor = StaticFiles(directory=VENDOR, check_dir=False)
    return [
        Route("/", page), Route("/rings.json", films), Mount("/static", StaticFiles(directory=STATIC)),
        Mount("/vendor", vendor),
    ]  # fmt: skip


def _first_rows(hub: Hub) -> str:
    views = hub.fleet.views()[:FIRST_ROWS]
    if not views:
        return '<p class="empty">Connecting to the hub …</p>'
    rows = [f'<li data-device="{escape(v.id)}">{escape(v.name)}: {v.condition.value}</li>' for v in views]
    return f"<ul>{''.join(rows)}</ul>"
