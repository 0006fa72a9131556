"""In: a version as text. Out: whether it is one, and which of two is newer."""

from __future__ import annotations

import re

VERSION = re.compile(
    r"^(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:(a|b|rc)(\d{1,6}))?(?:\+([a-z0-9]{1,20}(?:\.[a-z0-9]{1,20})*))?$"
)
"""The part of PEP 440 that releases use: 1.2.3, 1.2.3rc1, 1.2.3+kitchen.2. It is a folder's name, too: no slash."""
STAGES = {"a": 0, "b": 1, "rc": 2, None: 3}


def is_version(text: object) -> bool:
    return isinstance(text, str) and VERSION.fullmatch(text) is not None


def key(text: str) -> tuple[object, ...]:
    """Orders versions: a release is newer than its candidates, a local build newer than what it was built from."""
    match = VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text[:40]}' is not a version such as 1.2.3")
    major, minor, patch, stage, number, local = match.groups()
    # Numeric parts of a local label are newer than words (PEP 440).
    label = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in local.split(".")) if local else ()
    return (int(major), int(minor), int(patch), STAGES[stage], int(number or 0), label)


def newer(version: str, than: str) -> bool:
    return key(version) > key(than)
