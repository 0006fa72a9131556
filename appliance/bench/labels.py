"""In: a folder of recordings with `labels.json`. Out: what was said in each, and whether a turn understood it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import UsageError


@dataclass(frozen=True, slots=True)
class Label:
    """What one recording holds."""

    file: Path
    text: str | None
    intent: str | None
    """None for a recording that must be refused."""
    slots: dict[str, Any]
    end_of_speech_s: float | None
    """Seconds from the first sample; None where nobody marked it."""

    def right(self, intent: str | None, slots: Mapping[str, Any]) -> bool:
        """The intent and every labelled slot; extra slots do not count against, as in the published benchmark."""
        if self.intent is None or intent != self.intent:
            return intent is None and self.intent is None
        return all(name in slots and _same(slots[name], value) for name, value in self.slots.items())

    def confused(self, intent: str | None, slots: Mapping[str, Any]) -> list[str]:
        """'wanted → taken' for the intent, or else for each labelled slot that differs; empty where all is right."""
        if intent is None or intent != self.intent:
            return [] if intent == self.intent else [f"{self.intent} → {intent or 'refused'}"]
        return [
            f"{str(value).strip()} → {str(slots.get(name, 'nothing')).strip()}"
            for name, value in self.slots.items()
            if name not in slots or not _same(slots[name], value)
        ]


def read_labels(folder: Path) -> list[Label]:
    """All labelled recordings of a folder, by name. Raises UsageError with one sentence naming the file."""
    file = folder / "labels.json"
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        labels = [_label(folder / name, row) for name, row in sorted(table.items())]
    except OSError as error:
        raise UsageError("no-labels", f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise UsageError("bad-labels", f"{file} is not JSON of the form recording → text, intent, slots.") from error
    if not labels:
        raise UsageError("no-labels", f"{file} names no recording.")
    return labels


def _label(file: Path, row: dict[str, Any]) -> Label:
    end = row.get("end_of_speech_s")
    return Label(
        file, row.get("text"), row.get("intent"), dict(row.get("slots") or {}), None if end is None else float(end)
    )


def _same(found: object, wanted: object) -> bool:
    """Numbers as numbers, everything else as stripped words without regard to case."""
    try:
        return float(str(found)) == float(str(wanted))
    except ValueError:
        return str(found).strip().casefold() == str(wanted).strip().casefold()
