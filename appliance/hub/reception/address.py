"""In: a topic. Out: which device it is of, and what kind of message it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ID = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
STREAMS = ("metrics", "turn", "event/+")
"""Not retained: several hubs may share them."""
RETAINED = ("availability", "info", "state", "alert/+")
"""Each hub reads them for itself."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message came from."""

    device: str
    kind: str
    """availability, info, state, metrics, turn, alert, event or reply."""
    name: str = ""
    """Of the alert, event or reply."""


@lru_cache(maxsize=65536)
def address(prefix: str, topic: str) -> Address | None:
    """None for what is none of the hub's topics. `prefix`: first part of every topic. Kept: topics come again."""
    if not topic.startswith(prefix + "/"):
        return None
    parts = topic[len(prefix) + 1 :].split("/")
    if len(parts) < 2 or not _ID.match(parts[0]) or parts[0] == "home":
        return None
    device, kind, rest = parts[0], parts[1], parts[2:]
    if kind in ("availability", "info", "state", "metrics", "turn") and not rest:
        return Address(device, kind)
    if kind in ("alert", "event") and len(rest) == 1 and 0 < len(rest[0]) <= 64:
        return Address(device, kind, rest[0])
    if kind == "reply":
        return Address(device, kind, "/".join(rest)[:64])
    return None
