"""In: bytes of the updater's own files. Out: what they say, checked; damaged ones count as absent or as the worst case."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from appliance.update.version import is_version


@dataclass(frozen=True, slots=True)
class Pending:
    """A release that runs on probation. While this record is there, the release before is the one to trust."""

    before: str
    after: str
    boot_id: str
    """The boot in which it was switched on."""
    starts: int = 0
    """Boots since then."""


@dataclass(frozen=True, slots=True)
class Result:
    """How the last update ended."""

    version: str
    """The release that was to be installed."""
    outcome: str
    """confirmed, taken-back, refused."""
    runs: str | None
    """The release that runs now."""
    reasons: tuple[str, ...] = ()
    seconds: float | None = None
    """From the command to the verdict; None after a power cut."""


def encode(record: Pending | Result | dict[str, Any]) -> bytes:
    table = record if isinstance(record, dict) else asdict(record)
    return (json.dumps(table, ensure_ascii=False, indent=1) + "\n").encode()


def table_of(data: bytes) -> dict[str, Any] | None:
    """A JSON object, or None."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def pending_of(data: bytes) -> Pending | None:
    """None where the record is damaged; it is written whole, so that this is a fault of the medium."""
    table = table_of(data)
    if table is None or not (is_version(table.get("before")) and is_version(table.get("after"))):
        return None
    starts = table.get("starts")
    if not isinstance(starts, int) or isinstance(starts, bool) or not 0 <= starts < 1000:
        starts = 1000  # unreadable: as if it had been tried for ever
    return Pending(table["before"], table["after"], str(table.get("boot_id", "")), starts)


def result_of(data: bytes) -> Result | None:
    table = table_of(data)
    if table is None or not is_version(table.get("version")) or not isinstance(table.get("outcome"), str):
        return None
    known = {field.name for field in fields(Result)}
    reasons = table.get("reasons")
    table["reasons"] = tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else ()
    return Result(**{name: value for name, value in table.items() if name in known} | {"runs": table.get("runs")})
