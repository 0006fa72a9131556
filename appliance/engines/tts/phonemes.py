"""In: a piece of text. Out: the phonemes a Piper voice was trained on: IPA with the text's own punctuation kept.

Piper takes espeak's IPA clause by clause and puts the clause's punctuation behind it; the clauses are cut here, because
espeak-ng 1.51 does not tell which terminator it saw.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from appliance.engines.tts.libespeak import Espeak
from appliance.errors import ModelError

_CLAUSE = re.compile(r"(.+?)([,;:.!?…]+)(?=\s|$)|(.+)$", re.DOTALL)
_MARKS = ".!?;:,"
"""Punctuation a Piper voice knows; of several in a row the strongest counts."""


class EspeakPhonemiser:
    """Phonemes by libespeak-ng, restricted to the symbols that the voice knows."""

    def __init__(self, library: Espeak, voice: str, symbols: frozenset[str]) -> None:
        """`symbols`: what the voice's token table holds."""
        self._library = library
        self._voice = voice
        self._symbols = symbols

    def phonemes(self, text: str) -> str:
        said = []
        for words, mark in clauses(text):
            if ipa := self._library.phonemes(words, self._voice):
                said.append(ipa + mark)
        plain = unicodedata.normalize("NFD", " ".join(said))
        return "".join(symbol for symbol in plain if symbol in self._symbols)


def clauses(text: str) -> list[tuple[str, str]]:
    """(words, punctuation) of every clause: 'Yes, at 7:30.' → [('Yes', ','), ('at 7:30', '.')]."""
    found = []
    for match in _CLAUSE.finditer(text):
        words, marks = (match[3], "") if match[1] is None else (match[1], match[2].replace("…", "."))
        if words.strip():
            found.append((words.strip(), min(marks, key=_MARKS.index, default="")))
    return found


@dataclass(frozen=True, slots=True)
class Tokens:
    """A voice's symbols and their numbers."""

    number: dict[str, int]

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(self.number)

    def of(self, phonemes: str) -> npt.NDArray[np.int64]:
        """Numbers as Piper gives them to the network (phonemes_to_ids): ^ _ a _ b _ $. Raises KeyError for a stranger."""
        ids = [self.number["^"], self.number["_"]]
        for symbol in phonemes:
            ids += (self.number[symbol], self.number["_"])
        return np.array([*ids, self.number["$"]], np.int64)


def tokens_of(file: Path) -> Tokens:
    """The symbols in a voice's tokens.txt ('SYMBOL ID' a line, the symbol may be a space). Raises ModelError."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        number = {symbol: int(text) for symbol, _, text in (line.rpartition(" ") for line in lines if " " in line)}
    except (OSError, ValueError) as error:
        raise ModelError("tokens-unreadable", f"{file.name} cannot be read: {error}.") from error
    if not {"_", "^", "$", " "} <= number.keys():
        raise ModelError("tokens-wrong", f"{file.name} is no token table of a Piper voice.")
    return Tokens(number)
