"""In: a sentence and what was said before. Out: its likeliest meaning, others behind it, or None if it is no command.

hassil does the matching; a budget inside its lists ends a search that would take too long (seconds for thousands of
names were seen upstream, home-assistant/core#122663). Blocks: call it where the event loop does not wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hassil.errors import HassilError
from hassil.intents import Intents, RangeSlotList, TextSlotList
from hassil.recognize import RecognizeResult, recognize_all

from appliance.errors import IntentError
from appliance.grammar.source import GrammarSource
from appliance.intents.budget import Budget, Spent, watched
from appliance.intents.followup import FOLLOW_UPS, answer, continued
from appliance.intents.home import Home
from appliance.intents.interpretation import Interpretation, Question, Slot
from appliance.intents.ranges import know_words, told_apart

__all__ = ["Interpretation", "Interpreter", "Question"]

BUDGET_S = 0.5
"""CPU seconds of one search; a usual one takes 3 ms."""
MOST_RESULTS = 200
"""Readings looked at before the best is chosen."""
MOST_ALTERNATIVES = 4
COMMAND = "conversation_command"
"""The open slot of "turn off the fan in five minutes", as home-assistant-intents names it."""
REFUSAL = "ApplianceRefusal"
"""A command that must not be done: see `data/en/beside.yaml`."""
REMEMBERED = 512
"""Sentences whose meaning is kept, least recently used first out: a household says the same few again and again."""


@dataclass(frozen=True, slots=True)
class _Reading:
    interpretation: Interpretation
    score: tuple[float, ...]
    place: str | None
    """Area of the named device, where it has a name and the home says so."""


class Interpreter:
    """Understands sentences of one grammar. Safe to share between threads only one call at a time."""

    def __init__(self, source: GrammarSource, home: Home) -> None:
        """Compiles the grammar's templates (0.3–1 s of CPU). Raises IntentError if hassil refuses them."""
        self._source = source
        self._home = home
        self._own = frozenset(source.own_intents)
        self._budget = Budget()
        self._known: dict[tuple[Any, ...], Interpretation | None] = {}
        try:
            self._intents = Intents.from_dict(source.sentences)
        except (HassilError, ValueError, KeyError, TypeError, AssertionError) as error:
            raise IntentError("grammar-broken", f"The sentences cannot be compiled: {error}.") from error
        for values in self._intents.slot_lists.values():
            if isinstance(values, TextSlotList):
                watched(values, self._budget)
            elif isinstance(values, RangeSlotList):
                told_apart(values)
        self.spent = False
        """Whether the last search ran out of its CPU time: what it found may not be all."""
        self._warm()

    def interpret(
        self, text: str, context: Interpretation | None = None, budget_s: float = BUDGET_S
    ) -> Interpretation | None:
        """The meaning of `text`. `context` is the turn before: it may hold a question that `text` answers.

        `budget_s` is CPU time of the calling thread; when it is spent, the best reading found by then counts.
        """
        self.spent = False
        text = " ".join(text.split())
        if not text:
            return None
        key = (text.casefold(), None if context is None else (context.meaning, context.question))
        if key in self._known:
            self._known[key] = self._known.pop(key)
        else:
            found = self._search(text, context, budget_s)
            if self.spent:  # asked again, it is searched again
                return found
            self._known[key] = found
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        return self._known[key]

    def _search(self, text: str, context: Interpretation | None, budget_s: float) -> Interpretation | None:
        found = sorted(self._all_readings(text, context, budget_s), key=lambda reading: reading.score)
        readings = list(self._that_can_be_kept(found, budget_s))
        if context is not None:
            if (meant := _in_context(context, text, readings)) is not None:
                return meant
            readings = [reading for reading in readings if reading.interpretation.intent not in FOLLOW_UPS]
        return _best(readings, self._home) if readings else None

    def _that_can_be_kept(self, readings: list[_Reading], budget_s: float) -> Iterator[_Reading]:
        """Without those that promise to do later, or refuse to do, what nobody would understand by itself."""
        known: dict[str, list[Interpretation]] = {}
        for reading in readings:
            meant = reading.interpretation
            command = meant.slots.get(COMMAND)
            if command is None:
                yield reading
                continue
            text = str(command)
            if text not in known:
                inner = sorted(self._all_readings(text, None, budget_s), key=lambda one: one.score)
                known[text] = [one.interpretation for one in inner if one.interpretation.intent != REFUSAL]
            if meant.intent == REFUSAL:
                if known[text]:
                    yield reading
            elif (intent := next((one.intent for one in known[text] if COMMAND not in one.slots), None)) is not None:
                yield replace(reading, interpretation=replace(meant, puts_off=intent))

    def _warm(self) -> None:
        """Has hassil parse every template now: it would do so in the first search, which then takes 100 times longer."""
        for values in self._intents.slot_lists.values():
            if isinstance(values, TextSlotList):
                values.get_candidates("")  # builds its index: 0.1 s for 5,000 names
            elif isinstance(values, RangeSlotList):
                know_words(values, self._source.language)
        for intent in self._intents.intents.values():
            for block in intent.data:
                for sentence in block.sentences:
                    sentence.get_required_clauses({**self._intents.expansion_rules, **block.expansion_rules})

    def _all_readings(self, text: str, context: Interpretation | None, budget_s: float) -> list[_Reading]:
        """Readings of `text`, else of its bare command.

        hassil leaves out all polite words or none: "I'd like a latte please", where only the first words belong to a
        sentence, would be lost.
        """
        for form in (text, *self._without_polite(text)):
            if found := list(self._readings(form, context, budget_s)):
                return found
        return []

    def _without_polite(self, text: str) -> Iterator[str]:
        """`text` without a polite word at its end, at its beginning, and at both."""
        polite = sorted(self._intents.skip_words, key=len, reverse=True)
        folded = text.casefold()
        end = next((len(word) + 1 for word in polite if folded.endswith(f" {word.casefold()}")), 0)
        start = next((len(word) + 1 for word in polite if folded.startswith(f"{word.casefold()} ")), 0)
        if end:
            yield text[:-end]
        if start:
            yield text[start:]
        if start and end and start + end < len(text):
            yield text[start:-end]

    def _readings(self, text: str, context: Interpretation | None, budget_s: float) -> Iterator[_Reading]:
        facts: dict[str, Any] = dict(self._source.context)
        if context is not None:
            facts["follow_up"] = True
        self._budget.start(budget_s)
        try:
            results = recognize_all(text, self._intents, intent_context=facts, language=self._source.language)
            for count, result in enumerate(results):
                if "follow_up" in result.intent_data.requires_context and context is None:
                    continue
                yield self._reading(result, text)
                self._budget.check()
                if count >= MOST_RESULTS:
                    return
        except Spent:
            self.spent = True
            return
        except HassilError as error:
            raise IntentError("grammar-broken", f"The sentences cannot be searched: {error}.") from error
        finally:
            self._budget.stop()

    def _reading(self, result: RecognizeResult, text: str) -> _Reading:
        slots: dict[str, Slot] = {entity.name: _slot(entity.value) for entity in result.entities_list}
        open_slots = [entity for entity in result.entities_list if entity.is_wildcard]
        open_letters = sum(len(entity.text.strip()) for entity in open_slots)
        named = result.entities.get("name")
        facts = (named.metadata if named is not None else None) or {}
        own = result.intent.name in self._own
        interpretation = Interpretation(
            intent=result.intent.name,
            slots=slots,
            text=text,
            wildcard_share=min(1.0, open_letters / max(1, len(text))),
            own=own,
            domain=facts.get("domain") or _text(slots.get("domain")),
        )
        place = facts.get("area")
        name_letters = len(named.text) if named is not None and not named.is_wildcard else 0
        score = (
            len(open_slots),
            2 if result.intent.name == REFUSAL else 0 if own else 1,
            -name_letters,
            -result.text_chunks_matched,
            open_letters,
            0 if place is not None and place == self._home.area else 1,
        )
        return _Reading(interpretation, score, place)


def _in_context(context: Interpretation, text: str, readings: list[_Reading]) -> Interpretation | None:
    """What `text` means as an answer or as an addition to what was said before; None if it stands for itself."""
    short = [reading.interpretation for reading in readings if reading.interpretation.intent in FOLLOW_UPS]
    if context.question is not None and (chosen := answer(context, text, short)) is not None:
        return chosen
    whole = next((reading for reading in readings if reading.interpretation.intent not in FOLLOW_UPS), None)
    alone = whole is not None and whole.interpretation.wildcard_share == 0
    if not short or (whole is not None and alone and not _bare_name(whole, short[0])):
        return None
    again = continued(context, short)
    return None if again is None else replace(again, text=text)


def _best(readings: list[_Reading], home: Home) -> Interpretation:
    """The first, with the other meanings behind it, and a question where its name belongs to several devices."""
    first = readings[0]
    best = first.interpretation
    others: dict[Any, Interpretation] = {}
    for reading in readings[1:]:
        if reading.interpretation.meaning != best.meaning:
            others.setdefault(reading.interpretation.meaning, reading.interpretation)
    question = None
    if "name" in best.slots and "area" not in best.slots:
        places = _places(first, readings)
        if len(places) > 1 and home.area not in places:
            question = Question("area", places)
        elif len(places) > 1 and home.area is not None:
            best = replace(best, slots={**best.slots, "area": home.area})
    return replace(best, alternatives=tuple(others.values())[:MOST_ALTERNATIVES], question=question)


def _places(first: _Reading, readings: Iterable[_Reading]) -> tuple[str, ...]:
    """Rooms in which a device of the first reading's name stands."""
    same = (reading for reading in readings if reading.interpretation.meaning == first.interpretation.meaning)
    return tuple(dict.fromkeys(reading.place for reading in same if reading.place is not None))


def _bare_name(whole: _Reading, short: Interpretation) -> bool:
    """Whether the whole sentence is nothing but the name: upstream takes "the bed light" for "turn on the bed light"."""
    named = whole.interpretation.slots.get("name")
    return named is not None and named == short.slots.get("name") and whole.score[3] >= -1


def _slot(value: Any) -> Slot:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.strip() if isinstance(value, str) else value if isinstance(value, (int, float)) else str(value)


def _text(value: Slot | None) -> str | None:
    return value if isinstance(value, str) else None
