"""In: English words. Out: how they sound, and which of them are rare.

Both come with pocketsphinx: CMU's pronouncing dictionary (134,000 words) and a language model of general English.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

Sounds = tuple[str, ...]
"""ARPAbet without stress, e.g. ('M', 'OW', 'K', 'AH')."""

_DICTIONARY = "en-us/cmudict-en-us.dict"
_LANGUAGE_MODEL = "en-us/en-us.lm.bin"


def pronounced(words: Collection[str]) -> dict[str, list[Sounds]]:
    """Word → its pronunciations; words that the dictionary lacks are left out. Blocks for 80 ms. Raises OSError."""
    wanted = frozenset(words)
    found: dict[str, list[Sounds]] = {}
    with Path(_pocketsphinx().get_model_path(_DICTIONARY)).open(encoding="utf-8") as lines:
        for line in lines:
            word, _, sounds = line.partition(" ")
            plain = word[: -len("(2)")] if word.endswith(")") else word
            if plain in wanted:
                found.setdefault(plain, []).append(tuple(sounds.split()))
    return found


def rarer(words: Iterable[str], than: float) -> list[str]:
    """Those of `words` whose share of general English (natural log) is below `than`. Blocks for 0.1 s. Raises OSError."""
    maker = _pocketsphinx()
    try:
        model, units = maker.NGramModel.readfile(maker.get_model_path(_LANGUAGE_MODEL)), maker.LogMath()
    except (RuntimeError, ValueError) as error:
        raise OSError(f"no language model ({error})") from error
    return [word for word in words if units.log_to_ln(model.prob([word])) < than]


def _pocketsphinx() -> Any:
    """Only where it is asked for: it takes 3 MB."""
    import pocketsphinx

    return pocketsphinx
