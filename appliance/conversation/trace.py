"""In: what happens in a turn, as it happens. Out: the turn's record, with every stage's milliseconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from appliance.events import Mark, Outcome, TurnRecord
from appliance.intents.interpretation import Interpretation
from appliance.wire.sound import Detection
from appliance.wire.stt import Transcript

EDGES = (
    ("listen", "origin", "decision"),
    ("stt", "decision", "text"),
    ("intent", "text", "intent"),
    ("action", "intent", "reply"),
    ("tts", "reply", "speech"),
    ("play", "speech", "first"),
)
"""A stage's bar on the waterfall: from which stamp to which."""
MEASURED = {
    "wake": ("origin", "wake"),
    "endpoint": ("speech_end", "decision"),
    "stt": ("decision", "text"),
    "intent": ("text", "intent"),
    "action": ("intent", "reply"),
    "tts_first": ("reply", "speech"),
    "play": ("speech", "first"),
    "response": ("speech_end", "first"),
}
"""A measure of MEASURES_MS: from which stamp to which."""


@dataclass(slots=True)
class Trace:
    """What becomes the record. `stamps` are CLOCK_MONOTONIC in ns, see TurnRecord."""

    outcome: Outcome = Outcome.CANCELLED
    """Until a stage says otherwise: who ends a turn early leaves it so."""
    transcript: Transcript | None = None
    interpretation: Interpretation | None = None
    reply: str | None = None
    error: str | None = None
    stamps: dict[str, int] = field(default_factory=dict)
    partials: list[tuple[float, str]] = field(default_factory=list)
    prepared: str | None = None
    wasted: int = 0
    cached: bool | None = None
    question: Interpretation | None = None
    noise_dbfs: float | None = None

    def stamp(self, name: str) -> None:
        """Notes that `name` happens now."""
        self.stamps[name] = time.monotonic_ns()

    def between(self, start: str, end: str) -> float | None:
        """Milliseconds from one stamp to another; None where one of them is missing."""
        if start not in self.stamps or end not in self.stamps:
            return None
        return round((self.stamps[end] - self.stamps[start]) / 1e6, 1)

    def record(self, turn: str, cause: str, detection: Detection | None, engine_restarts: int) -> TurnRecord:
        """The record as far as it is known."""
        understood = self.interpretation
        return TurnRecord(
            turn=turn,
            outcome=self.outcome,
            cause=cause,
            wake_word=detection.name if detection else None,
            wake_score=detection.score if detection else None,
            transcript=self.transcript.text if self.transcript else None,
            intent=understood.intent if understood else None,
            slots=dict(understood.slots) if understood else {},
            confidence=self.transcript.confidence if self.transcript else None,
            reply=self.reply,
            error=self.error,
            ms={name: self.between(start, end) for name, (start, end) in MEASURED.items()},
            stamps=dict(self.stamps),
            noise_dbfs=self.noise_dbfs,
            engine_restarts=engine_restarts,
            prepared=self.prepared,
            wasted=self.wasted,
            cached=self.cached,
            marks=self._marks(),
            partials=tuple(self.partials),
        )

    def _marks(self) -> tuple[Mark, ...]:
        origin = self.stamps.get("origin", 0)
        return tuple(
            Mark(stage, round((self.stamps[a] - origin) / 1e6, 1), round((self.stamps[b] - origin) / 1e6, 1))
            for stage, a, b in EDGES
            if a in self.stamps and b in self.stamps
        )
