"""In: what worked before an update, what is seen after it. Out: the reasons to take it back; none: it may stay.

Pure: what was green must be green. What was wrong before is no reason: a room without a microphone can be updated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SLOW_FACTOR, SLOW_MS = 2.0, 1500.0
"""A reply that takes twice as long as before, and longer than the target of response_ms."""
GROWTH_MB = 24.0
"""Memory that may be taken within the watched minute; caches fill then. The budget of an hour is 20 (critical)."""
RESTARTS = 0
WORSE = {"ok": 0, "warning": 1, "wrong": 2}


@dataclass(frozen=True, slots=True)
class SelfTurn:
    """A self-spoken turn."""

    outcome: str
    response_ms: float | None = None
    reply_s: float = 0.0
    """Seconds of the reply in which something can be heard."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The running device at one moment."""

    active: bool
    """systemd's word, after READY=1."""
    restarts: int = 0
    """Starts by Restart= since the last one by hand."""
    answers: bool = False
    """The control socket answered."""
    hearing: str | None = None
    connected: bool | None = None
    """With its broker; None where it has none."""
    engines: dict[str, bool] = field(default_factory=dict)
    """Child → ready."""
    critical: frozenset[str] = frozenset()
    """Budgets that are broken."""
    memory_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is compared."""

    look: ServiceState
    doctor: dict[str, str] = field(default_factory=dict)
    """Check → ok, warning, wrong."""
    turn: SelfTurn | None = None


def judge_look(before: ServiceState | None, now: ServiceState) -> list[str]:
    """Reasons in one look. Without a `before` (first installation) a device must start, answer and have its engines."""
    if not now.active:
        return ["it does not start"]
    reasons = []
    if now.restarts > RESTARTS:
        reasons.append(f"it was restarted {now.restarts} times")
    if not now.answers:
        return [*reasons, "it does not answer on its control socket"]
    if before is None or before.hearing != "deaf":
        reasons += ["it is deaf"] * (now.hearing == "deaf")
    for name, ready in sorted(now.engines.items()):
        if not ready and (before is None or before.engines.get(name, True)):
            reasons.append(f"its {name} engine is not ready")
    if before is not None:
        reasons += [f"its {name} engine is gone" for name in sorted(before.engines.keys() - now.engines.keys())]
        if before.connected and not now.connected:
            reasons.append("it has lost the broker")
        reasons += [f"the budget {name} is broken" for name in sorted(now.critical - before.critical)]
    return reasons


def judge_seen(before: Seen | None, now: Seen) -> list[str]:
    """Reasons in the doctor's verdicts and in the turn."""
    reasons = []
    for check, verdict in sorted(now.doctor.items()):
        was = before.doctor.get(check) if before is not None else None
        if verdict == "wrong" and (was is not None and WORSE[was] < WORSE["wrong"]):
            reasons.append(f"the doctor finds the check '{check}' wrong, which was {was}")
    if before is not None:
        lost = sorted(name for name, was in before.doctor.items() if was == "ok" and name not in now.doctor)
        reasons += [f"the doctor no longer has the check '{name}'" for name in lost]
    return reasons + judge_turn(before.turn if before is not None else None, now.turn)


def judge_turn(before: SelfTurn | None, now: SelfTurn | None) -> list[str]:
    if before is not None and before.outcome != "answered":
        return []  # it could not answer before, either
    if now is None or now.outcome != "answered":
        return [f"a spoken turn ended with '{now.outcome if now is not None else 'nothing'}'"]
    if now.reply_s <= 0.0 and (before is None or before.reply_s > 0.0):
        return ["its reply is silent"]
    was_ms, is_ms = before.response_ms if before is not None else None, now.response_ms
    if is_ms is not None and is_ms > max(SLOW_MS, SLOW_FACTOR * (was_ms or 0.0)):
        then = f", {was_ms:.0f} ms before" if was_ms is not None else ""
        return [f"it answers after {is_ms:.0f} ms{then}"]
    return []


def judge_growth(memory_mb: Sequence[float | None], most_mb: float = GROWTH_MB) -> list[str]:
    """Memory over the watched minute: the mean of its last third against that of its first."""
    known = [value for value in memory_mb if value is not None]
    if len(known) < 3:
        return []
    third = len(known) // 3
    growth = sum(known[-third:]) / third - sum(known[:third]) / third
    return [f"its memory grew by {growth:.0f} MB while it was watched"] if growth > most_mb else []
