"""In: the lists of a home and its owner. Out: their words that a small recogniser may write otherwise, and how.

The sentences that are built in use the commonest words of the language; what owners add need not be among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from appliance.grammar.lexicon.soundalike import soundalikes
from appliance.grammar.lexicon.spoken import letters

MOST_WORDS = 200
"""Of one home, in the order of its lists."""
SHORTEST = 4
"""Letters: shorter words are common, and their like are words of their own."""


def written_otherwise(lists: Iterable[dict[str, Any]], language: str) -> dict[str, tuple[str, ...]]:
    """Word → other letters for its sound, of hassil's `lists`; nothing in languages without a pronouncing dictionary."""
    if language != "en":
        return {}
    return soundalikes(list(dict.fromkeys(word for each in lists for word in _words(each)))[:MOST_WORDS])


def _words(values: dict[str, Any]) -> Iterator[str]:
    for value in values.get("values", ()):
        text = str(value["in"] if isinstance(value, dict) else value)
        yield from (
            word for word in letters(text).split() if len(word) >= SHORTEST and word.isascii() and word.isalpha()
        )
