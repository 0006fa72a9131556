"""In: hassil's rules, lists and context demands of a block of sentences. Out: which list values may stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hassil.expression import Sentence
from hassil.intents import SlotList, TextSlotList, TextSlotValue
from hassil.util import check_excluded_context, check_required_context


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What the sentences of one block may refer to."""

    rules: Mapping[str, Sentence]
    lists: Mapping[str, SlotList]
    requires: Mapping[str, Any]
    """Context that list values must bring, beyond what the home's own context already holds."""
    excludes: Mapping[str, Any]
    demands: str = field(init=False)
    """Both as text: scopes that demand the same take the same values."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "demands", repr((self.requires, self.excludes)))

    def allowed(self, name: str) -> tuple[int, ...] | None:
        """Positions of the values of list `name` that may stand here; None where all may."""
        values = self.lists[name]
        if not isinstance(values, TextSlotList) or not (self.requires or self.excludes):
            return None
        strict = self.brings(name, tuple(self.requires))
        chosen = tuple(at for at, value in enumerate(values.values) if self._fits(value, strict))
        return None if len(chosen) == len(values.values) else chosen

    def _fits(self, value: TextSlotValue, strict: bool) -> bool:
        """`strict`: the list is the one that must bring the required context."""
        return check_required_context(dict(self.requires), value.context or {}, allow_missing_keys=not strict) and (
            check_excluded_context(dict(self.excludes), value.context)
        )

    def brings(self, name: str, keys: tuple[str, ...]) -> bool:
        """Whether some value of list `name` brings context of all `keys`."""
        values = self.lists.get(name)
        return isinstance(values, TextSlotList) and any(
            value.context and all(key in value.context for key in keys) for value in values.values
        )
