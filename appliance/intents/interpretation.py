"""In: nothing. Out: the shape of an understood sentence, plain data that can be compared and sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Slot = str | int | float


@dataclass(frozen=True, slots=True)
class Question:
    """What must be asked back before anything can be done."""

    slot: str
    """The slot that the answer fills; 'intent' where whole readings differ."""
    choices: tuple[str, ...]
    """As they are spoken, in the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What a sentence means."""

    intent: str
    slots: dict[str, Slot] = field(default_factory=dict)
    text: str = ""
    """The sentence, as it was understood."""
    wildcard_share: float = 0.0
    """0..1: share of the text's letters that were taken up by open slots (list items, titles)."""
    own: bool = False
    """Done on the device or written by the owner."""
    domain: str | None = None
    """Of the named device: light, cover …"""
    alternatives: tuple[Interpretation, ...] = ()
    """Other meanings, the likelier first, without alternatives of their own."""
    question: Question | None = None
    puts_off: str | None = None
    """Intent of the command that is to be carried out later, where the sentence holds one."""

    @property
    def meaning(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Intent and slots alone, for comparing."""
        return self.intent, tuple(sorted((key, str(value).strip().lower()) for key, value in self.slots.items()))

    def bare(self) -> Interpretation:
        """The same without alternatives and question."""
        return replace(self, alternatives=(), question=None)
