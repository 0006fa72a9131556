"""In: what was heard, how surely, and what else it may have been. Out: the meaning that is acted on or asked back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from appliance.intents.followup import ambiguous
from appliance.intents.interpretation import Interpretation
from appliance.settings.conversation import IntentSettings

MeaningOf = Callable[[str], Interpretation | None]


class Heard(Protocol):
    """What a recogniser made of an utterance: see Transcript."""

    @property
    def text(self) -> str: ...

    @property
    def confidence(self) -> float | None: ...

    @property
    def alternatives(self) -> tuple[tuple[str, float], ...]: ...


def decide(heard: Heard, limits: IntentSettings, meaning_of: MeaningOf) -> Interpretation | None:
    """The meaning; with a question in it where another one is nearly as sure. A recogniser without confidence is believed."""
    if heard.confidence is None:
        return meaning_of(heard.text)
    if heard.confidence < limits.accept_from:
        return None
    first = meaning_of(heard.text)
    if first is None or first.question is not None:
        return first
    for text, confidence in heard.alternatives:
        if confidence < max(limits.accept_from, heard.confidence - limits.ask_within):
            break
        second = meaning_of(text)
        if second is not None and (asked := ambiguous(first, second)) is not None:
            return asked
    return first
