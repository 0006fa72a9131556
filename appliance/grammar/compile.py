"""In: the grammar's source in hassil's form. Out: its graph, and what could not be taken in.

Nothing is expanded here: sentences are parsed, the rest happens where the search walks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from hassil.errors import HassilError
from hassil.expression import Sentence
from hassil.intents import IntentData, Intents
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError
from hassil.util import check_excluded_context, check_required_context

from appliance.errors import GrammarError
from appliance.grammar.automaton.graph import Graph
from appliance.grammar.automaton.shared_subtrees import Shared
from appliance.grammar.lexicon.sounds import Sound
from appliance.grammar.scope import Scope
from appliance.grammar.source import GrammarSource

FOREIGN_COST = 0.7
"""Natural log: sentences that only a home server can act on, against those done here or written by the owner."""
CORE_INTENTS = ("HassTurnOn", "HassTurnOff")
"""What a home is told most often."""
SPACIOUS = (
    "ApplianceCalculate",
    "ApplianceCancelAlarm",
    "ApplianceCancelReminder",
    "ApplianceChance",
    "ApplianceChangeAlarm",
    "ApplianceConvert",
    "ApplianceDate",
    "ApplianceDaysUntil",
    "ApplianceListAdd",
    "ApplianceListRemove",
    "ApplianceRemind",
    "ApplianceReminderStatus",
    "HassListAddItem",
    "HassListCompleteItem",
    "HassListRemoveItem",
    "HassShoppingListAddItem",
    "HassShoppingListCompleteItem",
)
"""Own intents of many numbers, units or free texts, which small recognisers do not listen for."""
T = TypeVar("T")
_SHARED = Shared()

ANSWER_GAIN = -3.0
"""Natural log: an answer to the question just asked, before everything else."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A grammar ready to be walked."""

    graph: Graph
    sentences: int
    """Templates taken in."""
    dropped: tuple[str, ...]
    """Templates that can never be said in this home, or have an error; a text each."""
    seconds: float


def compile_grammar(
    source: GrammarSource, answers: Sequence[str] = (), *, reduced: bool = False, sound: Sound | None = None
) -> Compiled:
    """Compiles; blocks for about 0.3 s with the English built-in sentences. Raises GrammarError on another form.

    `reduced`: for small recognisers, without polite words, with coarse numbers, own intents and CORE_INTENTS only.
    `sound`: for recognisers of another language, the source's core only, spelled in sounds.
    """
    began = time.perf_counter()
    try:
        intents = Intents.from_dict({"language": source.language, **_sentences(source, core=sound is not None)})
    except (HassilError, ParseError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise GrammarError("grammar-form", f"The grammar's source is not in hassil's form ({error}).") from error
    small = reduced or sound is not None
    graph = Graph(
        source.language,
        () if small else intents.skip_words,
        coarse=small,
        sound=sound,
        spellings={} if small else source.spellings,
    )
    taken, dropped = 0, []
    for name, intent in intents.intents.items():
        if reduced and (name in SPACIOUS or (name not in source.own_intents and name not in CORE_INTENTS)):
            continue
        cost = 0.0 if name in source.own_intents else FOREIGN_COST
        for data in intent.data:
            done, refused = _add_block(graph, intents, data, source.context, cost)
            taken += done
            dropped += refused
    for answer in answers:
        graph.add_text(answer, ANSWER_GAIN)
    return Compiled(graph, taken, tuple(dropped), time.perf_counter() - began)


def _sentences(source: GrammarSource, *, core: bool) -> dict[str, Any]:
    if not core:
        return source.sentences
    if source.core is None:
        raise GrammarError("no-core", f"There are no core sentences in the language '{source.language}'.")
    return {**source.sentences, "intents": source.core}


def _add_block(
    graph: Graph, intents: Intents, data: IntentData, home: Mapping[str, Any], cost: float
) -> tuple[int, list[str]]:
    """Adds the sentences of one block; gives how many, and the texts of those that were dropped."""
    missing = {key: value for key, value in data.requires_context.items() if not _holds(key, value, home)}
    if not check_excluded_context(data.excludes_context, dict(home)):
        return 0, list(data.sentence_texts)
    scope = Scope(
        _with(intents.expansion_rules, data.expansion_rules),
        _with(intents.slot_lists, data.slot_lists),
        missing,
        data.excludes_context,
    )
    number = graph.scope(scope)
    taken, dropped = 0, []
    for text in data.sentence_texts:
        sentence = _parse(text)
        if sentence is None or not _brings(sentence, scope) or not graph.add(sentence.expression, number, cost):
            dropped.append(text)
        else:
            taken += 1
    return taken, dropped


def _with(common: dict[str, T], own: Mapping[str, T]) -> Mapping[str, T]:
    """Both; the common ones themselves where a block has none of its own, so that 500 blocks do not copy them."""
    return {**common, **own} if own else common


@lru_cache(20_000)
def _parse(text: str) -> Sentence | None:
    try:
        sentence = parse_sentence(text)
    except (HassilError, ParseError, AssertionError, ValueError):
        return None
    sentence.expression = _SHARED.of(sentence.expression)
    return sentence


def _holds(key: str, value: Any, home: Mapping[str, Any]) -> bool:
    return check_required_context({key: value}, dict(home))


def _brings(sentence: Sentence, scope: Scope) -> bool:
    """Whether the required context can come from a list of the sentence."""
    if not scope.requires:
        return True
    return any(scope.brings(name, tuple(scope.requires)) for name in sentence.list_names(dict(scope.rules)))
