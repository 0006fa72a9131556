"""Homes filled with made-up devices: the same each time, the own ones first, and all of them can be spoken."""

from __future__ import annotations

from appliance.bench.names import filled
from appliance.errors import GrammarError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.compile import compile_grammar
from appliance.intents.home import Entity, Home
from appliance.intents.source import grammar_source

OWN = Home("Kitchen", (), (Entity("Bed Light", "light"), Entity("Front Door", "lock")))


def test_as_many_as_asked_for_and_always_the_same() -> None:
    home = filled(OWN, 5000)
    assert len(home.entities) == len({entity.name for entity in home.entities}) == 5000
    assert home.entities[:2] == OWN.entities
    assert home == filled(OWN, 5000) and filled(OWN, 2) == OWN
    assert {entity.area for entity in home.entities if entity.area} <= {area.name for area in home.areas}


def test_every_name_can_be_spoken() -> None:
    home = filled(OWN, 1000)
    problems: list[GrammarError] = []
    walker = Walker(compile_grammar(grammar_source(home, "en", problems=problems)).graph)
    assert problems == []
    lights = [entity.name.lower().replace("'", "") for entity in home.entities if entity.domain == "light"]
    assert len(lights) > 100 and all(walker.accepts(f"turn on the {name}") for name in lights[::10])
    assert not walker.accepts("turn on the lamp that is not there")
