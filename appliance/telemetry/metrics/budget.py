"""In: one measure's limits and its value. Out: whether it keeps them, and how grave a break is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

P1_OVER, P2_OVER = 0.5, 0.2
"""Shares over the budget from which a break is P1 and P2; everything less is P3."""
ROUNDING = 1e-9
"""Relative slack, so that 0.2 × 100 is not over 20 by the last bit of a float."""


class Verdict(StrEnum):
    """How a value stands to its budget: `met` up to the target, `critical` beyond the critical limit, else `warning`."""

    MET = "met"
    WARNING = "warning"
    CRITICAL = "critical"


class Severity(StrEnum):
    """How grave a broken budget is, gravest first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Direction(StrEnum):
    """Which side of the limits is good."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


class Rule(StrEnum):
    """How the severity of a break follows from its size."""

    BY_SHARE = "by share"
    """P1 over by more than 50 %, P2 from 20 %, P3 below."""
    VITAL = "vital"
    """As by share, but P0 beyond the critical limit: the device is of no use then."""
    LEAK = "leak"
    """P1 whenever broken: it only gets worse."""
    ERRORS = "errors"
    """P1 beyond the critical limit, by share of it below: an error rate of 1.6 % is no emergency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How good one thing must be. Limits are in `unit`; the last good value is the limit itself."""

    name: str
    unit: str
    target: float
    warning: float | None = None
    critical: float | None = None
    goal: float | None = None
    """Beyond everybody: what no comparable product reaches."""
    direction: Direction = Direction.AT_MOST
    rule: Rule = Rule.BY_SHARE
    remedy: str
    """One sentence: what a person can do about a break."""
    measures: tuple[str, ...] = ()
    """Names of the measures that this budget judges, besides its own name."""

    def verdict(self, value: float) -> Verdict:
        """Where no critical limit is stated, a miss of the target by more than 50 % is critical."""
        if not self._beyond(value, self.target):
            return Verdict.MET
        if self.critical is not None:
            return Verdict.CRITICAL if self._beyond(value, self.critical) else Verdict.WARNING
        return Verdict.CRITICAL if self._over(value) > P1_OVER else Verdict.WARNING

    def severity(self, value: float) -> Severity | None:
        """None while the target is met."""
        if not self._beyond(value, self.target):
            return None
        past_critical = self.critical is not None and self._beyond(value, self.critical)
        if past_critical and self.rule is Rule.VITAL:
            return Severity.P0
        if self.rule is Rule.LEAK or (past_critical and self.rule is Rule.ERRORS):
            return Severity.P1
        over = self._over(value)
        if over > P1_OVER and self.rule is not Rule.ERRORS:
            return Severity.P1
        return Severity.P2 if over >= P2_OVER else Severity.P3

    def _beyond(self, value: float, limit: float) -> bool:
        slack = abs(limit) * ROUNDING
        return value > limit + slack if self.direction is Direction.AT_MOST else value < limit - slack

    def _over(self, value: float) -> float:
        """By which share of the target the value is on its wrong side; infinite where the target is 0."""
        excess = value - self.target if self.direction is Direction.AT_MOST else self.target - value
        return excess / abs(self.target) if self.target else float("inf")
