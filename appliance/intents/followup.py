"""In: what was said before and a short sentence. Out: the meaning that both make together.

"Turn off the kitchen light" – "and the bedroom too"; "the bed light or the standing light?" – "the first one".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from appliance.intents.interpretation import Interpretation, Question

FOLLOW_UPS = frozenset({"ApplianceFollowUp", "ApplianceWhen", "ApplianceYes", "ApplianceNo"})
"""Intents that mean something only after another sentence."""

NEVER_MIND = "HassNevermind"
ALL = "all"
"""The choice of "both" and "all of them"; as the slot `which` it asks a skill for everything that fits."""
_PLACED = {"area", "floor", "name", "domain", "device_class"}
"""Slots of commands that can sensibly be said again for another place or device."""


def ambiguous(first: Interpretation, second: Interpretation) -> Interpretation | None:
    """A question back between two close readings; None where they do not differ in a way that can be asked.

    For the app: with the recogniser's alternatives when their confidences are close.
    """
    if first.meaning == second.meaning:
        return None
    if first.intent == second.intent:
        differing = [
            slot
            for slot in sorted(first.slots.keys() | second.slots.keys())
            if first.slots.get(slot) != second.slots.get(slot)
        ]
        if len(differing) == 1 and differing[0] in first.slots and differing[0] in second.slots:
            slot = differing[0]
            question = Question(slot, (str(first.slots[slot]), str(second.slots[slot])))
            return replace(first, alternatives=(second.bare(),), question=question)
    question = Question("intent", (first.text, second.text))
    return replace(first, alternatives=(second.bare(),), question=question)


def answer(asked: Interpretation, text: str, readings: Iterable[Interpretation]) -> Interpretation | None:
    """The asked reading completed by the answer `text`; None if it answers nothing."""
    question = asked.question
    if question is None:
        return None
    readings = list(readings)
    if not question.choices:
        return _filled(asked, text, readings)
    if question.slot == "intent" and any(reading.slots.get("choice") == ALL for reading in readings):
        return _all_of(asked, text)
    number = _chosen(question, text, readings)
    if number is None:
        return None
    if number < 0:
        return Interpretation(NEVER_MIND, text=text, own=True)
    if question.slot == "intent" or (asked.alternatives and number > 0 and len(question.choices) == 2):
        options = (asked.bare(), *asked.alternatives)
        if question.slot == "intent":
            return replace(options[min(number, len(options) - 1)], text=text)
    slots = {**asked.slots, question.slot: question.choices[number]}
    return replace(asked.bare(), slots=slots, text=text)


def continued(before: Interpretation, readings: Iterable[Interpretation]) -> Interpretation | None:
    """What was said before, with the place or the name of an elliptic sentence."""
    for reading in readings:
        if reading.intent == "ApplianceNo":
            return Interpretation(NEVER_MIND, own=True)
        if reading.intent != "ApplianceFollowUp" or not _PLACED & before.slots.keys():
            continue
        if "area" in reading.slots:
            kept = {key: value for key, value in before.slots.items() if key not in {"area", "floor"}}
            if "name" in kept:
                del kept["name"]
                if before.domain is not None:
                    kept["domain"] = before.domain
            return replace(before.bare(), slots={**kept, "area": reading.slots["area"]})
        if "name" in reading.slots and (reading.domain == before.domain or "name" in before.slots):
            kept = {key: value for key, value in before.slots.items() if key not in {"area", "floor", "domain"}}
            return replace(before.bare(), slots={**kept, "name": reading.slots["name"]}, domain=reading.domain)
    return None


def _chosen(question: Question, text: str, readings: list[Interpretation]) -> int | None:
    """Number of the choice, -1 for none of them, None if `text` says something else."""
    said = text.casefold()
    exact = [n for n, choice in enumerate(question.choices) if choice.casefold() == said]
    if exact:
        return exact[0]
    for reading in readings:
        if reading.intent == "ApplianceNo":
            return -1
        if reading.intent == "ApplianceYes":
            return 0
        if reading.intent != "ApplianceFollowUp":
            continue
        if "choice" in reading.slots and reading.slots["choice"] != ALL:
            return min(int(reading.slots["choice"]), len(question.choices)) - 1
        for value in reading.slots.values():
            if value in question.choices:
                return question.choices.index(str(value))
    held = [n for n, choice in enumerate(question.choices) if _holds(said, choice.casefold())]
    if not held:
        held = _only_in(said, [choice.casefold() for choice in question.choices])
    return held[0] if len(held) == 1 else None


def _all_of(asked: Interpretation, text: str) -> Interpretation | None:
    """ "Both": what all readings share, for everything that fits; None where they want different things."""
    options = (asked, *asked.alternatives)
    if any(option.intent != asked.intent for option in options):
        return None
    shared = {key: value for key, value in asked.slots.items() if all(o.slots.get(key) == value for o in options)}
    return replace(asked.bare(), slots={**shared, "which": ALL}, text=text)


def _filled(asked: Interpretation, text: str, readings: list[Interpretation]) -> Interpretation | None:
    """The asked reading with the time that was missing: "in ten minutes", "at five"."""
    for reading in readings:
        if reading.intent == "ApplianceNo":
            return Interpretation(NEVER_MIND, text=text, own=True)
        if reading.intent == "ApplianceWhen":
            return replace(asked.bare(), slots={**asked.slots, **reading.slots}, text=text)
    return None


def _holds(said: str, choice: str) -> bool:
    """Whether every word of the choice was said, and hardly anything else."""
    words, wanted = said.split(), choice.split()
    return set(wanted) <= set(words) and len(words) <= len(wanted) + 3


def _only_in(said: str, choices: list[str]) -> list[int]:
    """Choices that hold every said word which tells the choices apart ('pizza', 'the pizza one'); few words at most."""
    words = said.split()
    everywhere = set.intersection(*(set(choice.split()) for choice in choices))
    telling = [word for word in words if word not in everywhere and any(word in choice.split() for choice in choices)]
    if not telling or len(words) > len(telling) + 2:
        return []
    return [n for n, choice in enumerate(choices) if set(telling) <= set(choice.split())]
