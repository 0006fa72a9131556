"""In: nothing. Out: the shape of what a skill intends: what it will say and what it will do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.events import Outcome
from appliance.intents.interpretation import Interpretation


@dataclass(frozen=True, slots=True)
class Plan:
    """Made without doing anything, perhaps while the person still speaks."""

    reply: str
    """What will be said; empty: nothing. May hold marks between constant and variable parts (`replies.MARK`)."""
    outcome: Outcome = Outcome.ANSWERED
    act: Callable[[], Awaitable[Plan | None]] | None = None
    """Does it; called once at the most, after end of speech. May give a plan whose reply and outcome replace these."""
    ask: bool = False
    """The reply is a question: listen for its answer."""
    question: Interpretation | None = None
    """Where a skill asks: what was understood, with the question that the next sentence answers (context of its turn)."""
    ends: bool = False
    """The conversation is over: no follow-up even if one was open."""
