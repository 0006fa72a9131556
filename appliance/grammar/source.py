"""In: everything that may be said to this device now. Out: one file named by its hash, which the recogniser compiles.

The content is hassil's own form (intents, lists, expansion_rules, skip_words), with the home's names and areas as
lists, so that the text side (intents) and the sound side (recogniser) read the very same sentences.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class GrammarSource:
    """The sources of a grammar."""

    language: str
    """BCP 47, e.g. 'en'."""
    sentences: dict[str, Any]
    """hassil's dict: {'language', 'intents': {…}, 'lists': {…}, 'expansion_rules': {…}, 'skip_words': […]}; the lists
    'name' and 'area' hold the home's own values, with 'context' where an intent asks for one."""
    own_intents: tuple[str, ...] = ()
    """Intents done on the device itself or written by the owner: more likely than the rest."""
    context: dict[str, Any] = field(default_factory=dict)
    """Facts that templates may require, e.g. {'area': 'Kitchen'}."""
    core: dict[str, Any] | None = None
    """The intents that a recogniser of another language listens for, few and in whole words; None where there are none."""
    spellings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Words of lists (letter form) → other letters that a recogniser may write them with; the text is written as ever."""

    answers: dict[str, str] = field(default_factory=dict)
    """What the owner has the device say to intents of his own: intent → text with {slot}; the recogniser needs none of it."""

    def write(self, folder: Path) -> Path:
        """Writes `<sha256>.grammar.json` into `folder` (if not there yet) and gives its path."""
        tree = {
            "language": self.language,
            "sentences": self.sentences,
            "own_intents": list(self.own_intents),
            "context": self.context,
        }
        if self.core is not None:
            tree["core"] = self.core
        if self.spellings:
            tree["spellings"] = self.spellings
        text = json.dumps(tree, sort_keys=True, ensure_ascii=False)
        file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.grammar.json"
        if not file.exists():
            temporary = file.with_suffix(".tmp")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(file)
        return file

    @classmethod
    def read(cls, file: Path) -> GrammarSource:
        """Reads what `write` wrote."""
        tree = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            tree["language"],
            tree["sentences"],
            tuple(tree["own_intents"]),
            tree["context"],
            tree.get("core"),
            {word: tuple(others) for word, others in tree.get("spellings", {}).items()},
        )
