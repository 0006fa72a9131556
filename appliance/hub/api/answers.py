"""In: plain things and errors. Out: JSON responses; every refusal is `{"error": {"code", "message"}}`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import ApplianceError

Endpoint = Callable[[Request], Awaitable[Response]]


def answer(body: Any, status: int = 200) -> Response:
    """JSON of plain things and of dataclasses."""
    return Response(msgspec.json.encode(body), status, {"Cache-Control": "no-store"}, "application/json")


def refused(error: ApplianceError, status: int) -> Response:
    """One sentence why not."""
    return answer({"error": {"code": error.code, "message": error.message}}, status)
