"""In: hassil's ranges of numbers. Out: the same, told apart by their multiplier too.

hassil keeps the number words of a range by its bounds only. "Decrease the volume by twenty percent" counts down,
and "set the light to twenty percent" behind it got -20 out of the same words.
"""

from __future__ import annotations

from typing import Any

from hassil.expression import ListReference
from hassil.intents import RangeSlotList
from hassil.string_matcher import MatchContext, MatchSettings, match_expression


class _Start(int):
    """A bound that equals only the same bound of a range with the same multiplier."""

    multiplier: float | None

    def __eq__(self, other: Any) -> bool:
        return int(self) == other and self.multiplier == getattr(other, "multiplier", None)

    def __hash__(self) -> int:
        return hash((int(self), self.multiplier))


def told_apart(values: RangeSlotList) -> None:
    """Makes the words of `values` its own where it has a multiplier."""
    if values.multiplier is not None:
        start = _Start(values.start)
        start.multiplier = values.multiplier
        values.start = start


def know_words(values: RangeSlotList, language: str) -> None:
    """Has hassil spell out the numbers of `values` now, which it keeps for the process: 0.1 s for a thousand of them.

    Left to the first search they would spend its budget, and a sentence of ours would be lost to that.
    """
    settings = MatchSettings(slot_lists={"number": values}, language=language)
    for _ in match_expression(settings, MatchContext(text="x "), ListReference("number")):
        pass
