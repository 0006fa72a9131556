"""In: a text and what it may refer to. Out: its meaning, searched once and then known; both counted.

A household says the same few dozen sentences, and a turn asks for its final text again after having prepared it.
"""

from __future__ import annotations

from collections import OrderedDict

from appliance.intents.interpretation import Interpretation
from appliance.intents.recognise import Interpreter

MOST = 512
"""Sentences kept, the longest unused first to go; some kilobytes each at the most."""


class Meanings:
    """Remembers what an interpreter found. For one thread at a time, as the search itself."""

    def __init__(self, most: int = MOST) -> None:
        self.hits = 0
        self.asked = 0
        self._most = most
        self._interpreter: Interpreter | None = None
        self._known: OrderedDict[tuple[str, str], Interpretation] = OrderedDict()

    @property
    def lookups(self) -> tuple[int, int]:
        """(texts whose meaning was known, texts asked for) since the start."""
        return self.hits, self.asked

    def of(self, interpreter: Interpreter, text: str, context: Interpretation | None) -> Interpretation | None:
        """As `Interpreter.interpret`. What was not understood, or found out of time, is searched again."""
        if interpreter is not self._interpreter:  # names or sentences changed: nothing is known any more
            self._known.clear()
            self._interpreter = interpreter
        self.asked += 1
        key = (text, repr(context))
        if (known := self._known.get(key)) is not None:
            self.hits += 1
            self._known.move_to_end(key)
            return known
        found = interpreter.interpret(text, context)
        if found is not None and not interpreter.spent:
            self._known[key] = found
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return found
