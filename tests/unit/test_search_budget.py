"""A search that ran out of its CPU time says nothing about what the sentence means: asked again, it is searched again."""

from __future__ import annotations

import pytest

from appliance.conversation.meanings import Meanings
from appliance.grammar.source import GrammarSource
from appliance.intents.budget import Budget, Spent
from appliance.intents.home import Home
from appliance.intents.interpretation import Interpretation
from appliance.intents.recognise import Interpreter

ANIMALS = [f"animal {number}" for number in range(600)]
SOURCE = GrammarSource(
    "en",
    {
        "language": "en",
        "intents": {"TellPet": {"data": [{"sentences": ["tell {words} to {animal}"]}]}},
        "lists": {
            "words": {"wildcard": True},
            "animal": {"values": [{"in": animal, "out": animal} for animal in ANIMALS]},
        },
    },
)
NO_TIME_S = -1.0


class Counted(Interpreter):
    """Counts its searches."""

    searches = 0

    def _search(self, text: str, context: Interpretation | None, budget_s: float) -> Interpretation | None:
        self.searches += 1
        return super()._search(text, context, budget_s)


def test_a_spent_search_is_not_remembered() -> None:
    interpreter = Counted(SOURCE, Home())
    before = interpreter.searches
    for count in (1, 2):
        interpreter.interpret("tell a story to animal 599", budget_s=NO_TIME_S)
        assert interpreter.spent and interpreter.searches == before + count
    meant = interpreter.interpret("tell a story to animal 599", budget_s=60.0)
    assert meant is not None and meant.slots["animal"] == "animal 599" and not interpreter.spent
    assert interpreter.interpret("tell a story to animal 599", budget_s=NO_TIME_S) == meant, "known by now"
    assert not interpreter.spent and interpreter.searches == before + 3
    assert interpreter.interpret("walk the dog", budget_s=60.0) is None and not interpreter.spent


class Hasty(Interpreter):
    """Finds something, but not in time."""

    def __init__(self) -> None:
        self.spent = True
        self.searches = 0

    def interpret(
        self, text: str, context: Interpretation | None = None, budget_s: float = 1.0
    ) -> Interpretation | None:
        self.searches += 1
        self.spent = self.searches < 3
        return Interpretation("Guess" if self.spent else "Sure")


def test_what_was_found_in_a_hurry_is_not_kept_either() -> None:
    meanings, hasty = Meanings(), Hasty()
    intents = [meaning.intent for _ in range(5) if (meaning := meanings.of(hasty, "x", None)) is not None]
    assert intents == ["Guess", "Guess", "Sure", "Sure", "Sure"] and hasty.searches == 3


def test_a_budget_ends_only_the_search_that_it_was_begun_for() -> None:
    budget = Budget()
    budget.check()
    budget.start(60.0)
    budget.check()
    budget.start(NO_TIME_S)
    with pytest.raises(Spent):
        budget.check()
    budget.stop()
    budget.check()
