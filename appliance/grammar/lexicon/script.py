"""In: text. Out: the scripts that its letters belong to, after the first word of their names in Unicode: LATIN, CYRILLIC."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def scripts(text: str) -> frozenset[str]:
    """Scripts of all letters; empty where there are none.

    >>> sorted(scripts("Küche 2 台所"))
    ['CJK', 'LATIN']
    """
    return frozenset(_script(sign) for sign in set(text) if sign.isalpha())


@lru_cache(4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]
