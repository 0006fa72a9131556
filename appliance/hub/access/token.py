"""In: the headers of a request that changes something. Out: nothing, or one sentence: it was not our own page that asked.

A page from elsewhere can make a browser send a POST here, but it can neither read `/api/me` nor set a header of its own.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from appliance.errors import UsageError

HEADER = "x-csrf-token"


def make() -> str:
    """A token for one run of the hub."""
    return secrets.token_urlsafe(24)


def check(headers: Mapping[str, str], token: str) -> None:
    """Raises UsageError unless the token is there and the page asked is the page that asks."""
    if not hmac.compare_digest(headers.get(HEADER, "").encode(), token.encode()):
        raise UsageError("no-token", "This page is older than the hub: load it again.")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        raise UsageError("other-origin", "Another site asked; nothing was done.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UsageError("no-json", "A command is sent as application/json.")
