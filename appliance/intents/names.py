"""In: a home's rooms and devices. Out: their names as lists of a grammar, and what about them cannot be spoken.

A name that speech cannot hold (letters of another script, emoji) stays in the lists for typed text, marked so that the
recogniser's grammar leaves it out; in an English home spellings of its sound stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from appliance.errors import GrammarError
from appliance.grammar.automaton.trie import UNSPOKEN
from appliance.grammar.lexicon.script import scripts
from appliance.intents.foreign import english_spellings
from appliance.intents.home import Entity, Home
from appliance.intents.spoken import spoken_forms

_CARRIED = ("light", "cover", "climate", "media_player", "sensor", "binary_sensor")
"""Domains whose attributes Home Assistant puts into a name's context (device_class, say)."""
_MOST_NAMED = 5
"""Names given as examples in a problem."""
_TEMPLATE_SIGNS = frozenset('()[]{}<>|:;,\\/"')

Value = dict[str, Any]


class HomeNames:
    """Lists of one home in one language. `alphabet`: the scripts that the language is written in."""

    def __init__(self, home: Home, language: str, alphabet: frozenset[str]) -> None:
        self._language = language
        self._alphabet = alphabet
        self._unspoken: list[str] = []
        self._respelt = english_spellings(_all_names(home)) if language == "en" else {}
        self.names = list(_unlike(value for entity in home.entities for value in self._of_entity(entity)))
        self.areas = list(
            _unlike(
                {**value, "out": area.name}
                for area in home.areas
                for name in (area.name, *area.aliases)
                for value in self._forms(name)
            )
        )
        self._doubled = _doubled(home)

    def problems(self) -> Iterator[GrammarError]:
        """One sentence a kind of problem."""
        if self._unspoken:
            yield GrammarError(
                "names-unspoken",
                f"{_listed(self._unspoken)} cannot be spoken in the language '{self._language}': understood when typed "
                "only; give an alias.",
            )
        if self._doubled:
            yield GrammarError(
                "names-doubled",
                f"{_listed(self._doubled)}: several devices in one room have this name, so the home server chooses; give "
                "one of them another.",
            )

    def _of_entity(self, entity: Entity) -> Iterator[Value]:
        context: dict[str, Any] = {"domain": entity.domain}
        if entity.domain in _CARRIED and "device_class" in entity.attributes:
            context["device_class"] = entity.attributes["device_class"]
        metadata = {"domain": entity.domain, "area": entity.area}
        for name in (entity.name, *entity.aliases):
            for value in self._forms(name):
                yield {
                    **value,
                    "out": entity.name,
                    "context": context,
                    "metadata": {**metadata, **value.get("metadata", {})},
                }

    def _forms(self, name: str) -> list[Value]:
        forms = spoken_forms(name, self._language)
        respelt = [{"in": form} for form in self._respelt.get(name, ())]
        if forms and scripts(name) <= self._alphabet:
            return [*({"in": form} for form in forms), *respelt]
        if not respelt and name not in self._unspoken:
            self._unspoken.append(name)
        typed = forms or ("".join(" " if sign in _TEMPLATE_SIGNS else sign for sign in name).strip(),)
        return [*({"in": form, "metadata": {UNSPOKEN: True}} for form in typed if form), *respelt]


def _all_names(home: Home) -> Iterator[str]:
    for area in home.areas:
        yield from (area.name, *area.aliases)
    for entity in home.entities:
        yield from (entity.name, *entity.aliases)


def _unlike(values: Iterable[Value]) -> Iterator[Value]:
    """The values without exact doubles; two devices of one name in different rooms are no doubles."""
    seen: set[str] = set()
    for value in values:
        key = repr(sorted(value.items()))
        if key not in seen:
            seen.add(key)
            yield value


def _doubled(home: Home) -> list[str]:
    """Names that two devices of one room share."""
    seen: set[tuple[str, str | None]] = set()
    found: dict[str, None] = {}
    for entity in home.entities:
        for name in {form.casefold() for form in (entity.name, *entity.aliases)}:
            place = (name, entity.area)
            if place in seen:
                found[entity.name] = None
            seen.add(place)
    return list(found)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_MOST_NAMED]) + more
