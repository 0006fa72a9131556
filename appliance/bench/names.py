"""In: a home and how many names it shall have. Out: the same home among made-up devices, the same ones each time.

So that names at scale can be measured: every recording's own names stay, the rest competes with them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from appliance.intents.home import Area, Entity, Home

SEED = 11
ROOMS = (
    "Living Room", "Dining Room", "Guest Room", "Bathroom", "Hallway", "Attic", "Basement", "Nursery", "Laundry Room",
    "Pantry", "Porch", "Terrace", "Balcony", "Garden", "Workshop", "Library", "Study", "Playroom", "Sauna", "Cellar",
)  # fmt: skip
OWNERS = ("Anna's", "Ben's", "Carla's", "David's", "Emma's", "Frank's", "Grandma's", "Henry's", "Irene's", "Julia's")
PLACES = (
    "Desk", "Window", "Corner", "Ceiling", "Wall", "GrammarCache", "Stairs", "Mirror", "Sofa", "Counter", "Reading", "Piano",
    "Plant", "Closet", "Fireplace", "Entrance", "Back", "Upper", "Lower", "Left", "Right", "Small", "Big", "Old",
)  # fmt: skip
THINGS = (
    ("Lamp", "light"), ("Spotlight", "light"), ("Chandelier", "light"), ("Light Strip", "light"), ("Blinds", "cover"),
    ("Curtain", "cover"), ("Shutter", "cover"), ("Fan", "fan"), ("Heater", "climate"), ("Speaker", "media_player"),
    ("Radio", "media_player"), ("Socket", "switch"), ("Pump", "switch"), ("Coffee Maker", "switch"), ("Door", "lock"),
    ("Temperature", "sensor"), ("Power Meter", "sensor"), ("Movie Evening", "scene"), ("Cleanup", "script"),
)  # fmt: skip


def filled(home: Home, names: int) -> Home:
    """`home` with made-up rooms and devices until it has `names` devices; itself where it has as many already."""
    taken = {entity.name for entity in home.entities}
    made: list[Entity] = []
    for entity in _entities():
        if len(home.entities) + len(made) >= names:
            break
        if entity.name not in taken:
            taken.add(entity.name)
            made.append(entity)
    rooms = {entity.area for entity in made} - {area.name for area in home.areas}
    areas = (*home.areas, *(Area(name) for name in sorted(room for room in rooms if room is not None)))
    return replace(home, areas=areas, entities=(*home.entities, *made))


def _entities() -> Iterator[Entity]:
    """Without an end: the plain combinations in a mixed order, then the same with a number."""
    combinations = [(whose, place, thing) for whose in (*ROOMS, *OWNERS) for place in ("", *PLACES) for thing in THINGS]
    random.Random(SEED).shuffle(combinations)
    for number in count(1):
        for whose, place, (thing, domain) in combinations:
            name = " ".join(word for word in (whose, place, thing, str(number) if number > 1 else "") if word)
            yield Entity(name, domain, area=whose if whose in ROOMS else None)
