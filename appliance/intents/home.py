"""In: a JSON file with a home's rooms and devices. Out: the same as plain frozen data; broken files in one sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from appliance.errors import GrammarError
from appliance.files import Damaged, parse_json, read_text

MOST_BYTES = 4_000_000
"""Of a home's file: ten thousand devices."""
_OWN_KEYS = {"name", "domain", "aliases", "area"}


@dataclass(frozen=True, slots=True)
class Area:
    """A room or a part of the home."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """A device, scene, script, list … that may be named."""

    name: str
    domain: str
    """As Home Assistant writes it: light, cover, lock, media_player …"""
    aliases: tuple[str, ...] = ()
    area: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Everything else the file says of it, e.g. {'brightness': True}."""


@dataclass(frozen=True, slots=True)
class Home:
    """What can be spoken of. `area` is where this device stands. Two devices may share a name; order is the file's."""

    area: str | None = None
    areas: tuple[Area, ...] = ()
    entities: tuple[Entity, ...] = ()


def load_home(path: Path) -> Home:
    """Reads `{area, areas: [str | {name, aliases}], entities: [{name, domain, aliases?, area?, …}]}`.

    Raises GrammarError with one sentence that names the file and what is wrong. Blocks while it reads.
    """
    try:
        tree = parse_json(read_text(path, MOST_BYTES))
    except OSError as error:
        raise GrammarError("home-unreadable", f"{path}: the home cannot be read ({error}).") from error
    except Damaged as error:
        cause = error.__cause__
        line = f":{cause.lineno}" if isinstance(cause, JSONDecodeError) else ""
        raise GrammarError("home-no-json", f"{path}{line}: the home cannot be used: {error}.") from error
    return home_from(tree, str(path))


def home_from(tree: Any, origin: str = "home") -> Home:
    """The home in a parsed JSON tree; `origin` is named in the GrammarError it raises for a wrong shape."""
    if not isinstance(tree, dict):
        raise GrammarError("home-shape", f"{origin}: a home is an object with area, areas and entities.")
    areas = tuple(_area(item, f"{origin}: areas[{i}]") for i, item in enumerate(_list(tree, "areas", origin)))
    entities = tuple(
        _entity(item, f"{origin}: entities[{i}]") for i, item in enumerate(_list(tree, "entities", origin))
    )
    own = tree.get("area")
    own_name = None if own in (None, "") else _name(own, f"{origin}: area")
    return Home(own_name, _complete(areas, own_name, entities), entities)


def _complete(areas: Iterable[Area], own: str | None, entities: Iterable[Entity]) -> tuple[Area, ...]:
    """Areas once each, with those that only the device's own place or an entity names."""
    found = {area.name: area for area in areas}
    for name in (own, *(entity.area for entity in entities)):
        if name is not None:
            found.setdefault(name, Area(name))
    return tuple(found.values())


def _area(item: Any, place: str) -> Area:
    if isinstance(item, dict):
        return Area(_name(item.get("name"), place), _aliases(item, place))
    return Area(_name(item, place))


def _entity(item: Any, place: str) -> Entity:
    if not isinstance(item, dict):
        raise GrammarError("home-shape", f"{place}: a device is an object with name and domain.")
    area = item.get("area")
    return Entity(
        name=_name(item.get("name"), place),
        domain=_name(item.get("domain"), f"{place}: domain"),
        aliases=_aliases(item, place),
        area=None if area in (None, "") else _name(area, f"{place}: area"),
        attributes={key: value for key, value in item.items() if key not in _OWN_KEYS},
    )


def _aliases(item: dict[str, Any], place: str) -> tuple[str, ...]:
    return tuple(_name(alias, f"{place}: aliases") for alias in _list(item, "aliases", place))


def _list(tree: dict[str, Any], key: str, place: str) -> list[Any]:
    value = tree.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise GrammarError("home-shape", f"{place}: {key} is a list.")
    return value


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise GrammarError("home-name", f"{place}: a name is a text that is not empty.")
    return unicodedata.normalize("NFC", " ".join(value.split()))
