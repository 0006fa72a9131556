"""In: a word's sounds, as espeak-ng writes them. Out: one sign a sound, so that a grammar can be spelled in sounds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Sound = Callable[[str], str]
"""Letter form of one word → its signs; empty where nobody knows how it is said."""

_PAIRS = {"aɪ": "I", "aʊ": "U", "ɔø": "O", "ɔʏ": "O", "ts": "C"}
"""Two signs that are one sound → one sign of our own: a capital, which IPA does not use."""
_SAME = str.maketrans({"ɑ": "a", "r": "ɾ", "ɹ": "ɾ", "ʁ": "ɾ", "ɡ": "g", "ʏ": "y", "ɐ": "ɜ"})
_MARKS = re.compile(r"\([a-z-]+\)|[^\w]|[ˈˌːˑʲʰ]")
"""Changes of language, stress, length, joints."""


def signs(ipa: str) -> str:
    """One sign a sound; length and stress count for nothing, since short vowels have signs of their own.

    >>> signs("lˈaʊtʃtˌɛɾkə"), signs("tsvˈantsɪç")
    ('lUtʃtɛɾkə', 'CvanCɪç')
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFC", ipa))
    for pair, sign in _PAIRS.items():
        plain = plain.replace(pair, sign)
    return plain.translate(_SAME)


def in_sounds(words: str, sound: Sound) -> str:
    """Words in letter form → their sounds, spaces between them; a word that cannot be said stays away."""
    return " ".join(said for word in words.split() if (said := sound(word)))
