"""In: a name as it is written. Out: the ways it may come back from a recogniser, free of template signs."""

from __future__ import annotations

from appliance.grammar.lexicon.spoken import letters, ways

MOST_FORMS = 4
"""Beside the written one; 5,000 names with numbers would otherwise become 60,000 values."""


def spoken_forms(name: str, language: str) -> tuple[str, ...]:
    """The ways `name` may be said, the written one first; none if nothing in it can be spoken.

    >>> spoken_forms("TV 2 (old)", "en")
    ('TV 2 old', 'tv two old', 't v two old')
    """
    plain = _without_signs(name)
    if not plain:
        return ()
    same = {plain.casefold()}
    return (plain, *(way for way in ways(plain, language)[:MOST_FORMS] if way not in same))


def _without_signs(text: str) -> str:
    """Letters, digits, apostrophes and combining marks stay; everything else would be template syntax or is silent."""
    kept = "".join(sign if sign.isalnum() or sign in "'’" or not sign.isascii() else " " for sign in text)
    return " ".join(word for word in kept.split() if letters(word))
