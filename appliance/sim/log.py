"""In: what a program wrote on standard error. Out: the line that says why it ended."""

from __future__ import annotations

from pathlib import Path


def last_line(log: Path) -> str:
    """Its last line; where it is empty, that it said nothing."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."
