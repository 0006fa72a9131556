"""In: the device's facts, its processes and its turns. Out: one look at everything, and the values that are judged."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from appliance.events import Hearing
from appliance.telemetry.device import EngineFacts, Source
from appliance.telemetry.metrics.board_sensors import BoardSensors, Roots, look
from appliance.telemetry.metrics.budgets import BUDGETS, budget_of
from appliance.telemetry.metrics.counts import Counts
from appliance.telemetry.metrics.processes import Processes, Use
from appliance.telemetry.metrics.rates import Rate
from appliance.telemetry.metrics.slope import Slope
from appliance.telemetry.metrics.windows import Turns

RATE_SPAN_S = 600.0
"""Rates an hour are not judged before this long: a start writes much in its first second."""
LABELLED = frozenset(
    ("wake_miss_rate", "wake_miss_rate_noise", "wake_false_accepts_per_hour", "commands_right_rate",
     "commands_rejected_rate", "commands_coffee_right_rate", "commands_coffee_noise_right_rate", "cut_off_rate",
     "echo_erle_db", "echo_near_end_loss_db", "self_wakes", "direction_error_deg")
)  # fmt: skip
"""Budgets that only a recording with the truth beside it can tell (`appliance bench`); a device in its room cannot."""


UNKNOWN: Mapping[str, float | None] = {budget.name: None for budget in BUDGETS if budget.name not in LABELLED}


@dataclass(frozen=True, slots=True)
class Look:
    """What was measured of the machine at one time. Made on a thread."""

    at_s: float
    uses: Mapping[str, Use]
    board: BoardSensors
    memory_fresh: bool
    cost_s: float
    """CPU time of the look itself."""


@dataclass(slots=True)
class Looker:
    """Looks at the machine. Blocks for some milliseconds: for a thread."""

    roots: Roots
    memory_interval_s: float
    processes: Processes = field(default_factory=Processes)
    _memory_s: float = float("-inf")

    def look(self, pids: Mapping[str, int]) -> Look:
        began_s, now_s = time.thread_time(), time.monotonic()
        fresh = now_s - self._memory_s >= self.memory_interval_s
        if fresh:
            self._memory_s = now_s
        uses = self.processes.look(pids, fresh)
        return Look(now_s, uses, look(self.roots), fresh, time.thread_time() - began_s)


def pids(engines: Mapping[str, EngineFacts]) -> dict[str, int]:
    """Every process of the device by name; the supervisor is this one."""
    children = {name: facts.pid for name, facts in engines.items()}
    return {"supervisor": os.getpid()} | {name: pid for name, pid in children.items() if pid is not None}


@dataclass(slots=True)
class Measures:
    """Judged values by budget name, from looks and turns. For the event loop's thread."""

    turns: Turns
    started_s: float = field(default_factory=time.monotonic)
    voice_until_s: float = float("-inf")
    """A turn was under way until then."""
    memory: Slope = field(default_factory=Slope)
    peak_mb: float | None = None
    deaf_since_s: float | None = None
    deaf_total_s: float = 0.0
    _written: dict[str, int] = field(default_factory=dict)
    _written_total: float = 0.0
    _drops: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=400))
    counts: Counts = field(default_factory=Counts)
    _bits: Rate = field(default_factory=Rate)
    _cost: Rate = field(default_factory=Rate)

    def hears(self, hearing: Hearing, now_s: float) -> None:
        """The ear changed, or it is deaf for another reason."""
        if hearing is Hearing.DEAF and self.deaf_since_s is not None:
            return
        if self.deaf_since_s is not None:
            self.deaf_total_s += now_s - self.deaf_since_s
        self.deaf_since_s = now_s if hearing is Hearing.DEAF else None

    def values(
        self, look: Look, before_s: float, source: Source, mqtt_bytes: int, dropped: int, cost_s: float
    ) -> dict[str, float | None]:
        """Everything that has a budget and is not LABELLED; None where it is not known (yet).

        `mqtt_bytes`, `dropped`, `cost_s` (CPU time of telemetry) grow since the start.
        """
        voice = self.voice_until_s >= before_s
        bits_s = self._bits.add(look.at_s, mqtt_bytes * 8)
        return {
            **UNKNOWN,
            **self._stages(),
            **self.counts.values(source, look.uses),
            **self._cpu(look.uses, voice),
            **self._memory(look, voice),
            **self._kernel(look),
            **self._board(look.board),
            "startup_s": source.startup_s(),
            "network_mbit_s": None if bits_s is None else bits_s / 1e6,
            "telemetry_kbit_s": None if bits_s is None else bits_s / 1e3,
            "telemetry_cpu_ratio": self._cost.add(look.at_s, cost_s),
            "error_rate": self.turns.error_rate(),
            "uptime_share": self._uptime_share(look.at_s),
            "deaf_s": 0.0 if self.deaf_since_s is None else look.at_s - self.deaf_since_s,
            "messages_dropped_per_hour": self._drops_per_hour(look.at_s, dropped),
        }

    def _stages(self) -> dict[str, float | None]:
        """By budget: of the figures that one budget judges, the worst counts."""
        values: dict[str, float | None] = {}
        for figure, value in self.turns.judged().items():
            if (budget := budget_of(figure)) is not None:
                values[budget.name] = max(value, values.get(budget.name) or value)
        return values

    def _cpu(self, uses: Mapping[str, Use], voice: bool) -> dict[str, float | None]:
        ratios = [use.cpu_ratio for use in uses.values()]
        whole = None if not ratios or None in ratios else sum(ratio or 0.0 for ratio in ratios)
        own = uses["supervisor"].cpu_ratio if "supervisor" in uses else None
        if voice:
            return {"cpu_voice_ratio": whole}
        return {"cpu_idle_ratio": whole, "cpu_background_ratio": own}

    def _memory(self, look: Look, voice: bool) -> dict[str, float | None]:
        sizes = [use.pss_mb for use in look.uses.values()]
        whole = None if not sizes or None in sizes else sum(size or 0.0 for size in sizes)
        if whole is not None and look.memory_fresh:
            self.peak_mb = max(whole, self.peak_mb or 0.0)
            if not voice:
                self.memory.add(look.at_s, whole)
        growth = self.memory.growth()
        values = {"memory_peak_mb": self.peak_mb, "memory_growth_mb_per_hour": None if growth is None else growth.low}
        return values if voice else {**values, "memory_idle_mb": whole}

    def _kernel(self, look: Look) -> dict[str, float | None]:
        uses = look.uses.values()
        return {
            "descriptors": float(sum(use.descriptors for use in uses)),
            "threads": float(sum(use.threads for use in uses)),
            "disk_writes_mb_per_hour": self._writes_mb_per_hour(look),
        }

    def _writes_mb_per_hour(self, look: Look) -> float | None:
        """Since the start; a child that was replaced keeps what its predecessors wrote."""
        for name, use in look.uses.items():
            if use.written_bytes is not None:
                before = self._written.get(name, 0)
                self._written_total += use.written_bytes - before if use.written_bytes >= before else use.written_bytes
                self._written[name] = use.written_bytes
        span_s = look.at_s - self.started_s
        return self._written_total / 1e6 * 3600 / span_s if span_s >= RATE_SPAN_S and self._written else None

    def _board(self, board: BoardSensors) -> dict[str, float | None]:
        return {
            "temperature_c": board.temperature_c,
            "undervoltage": None if board.undervoltage is None else float(board.undervoltage),
            "throttled": None if board.throttled is None else float(board.throttled),
        }

    def _uptime_share(self, now_s: float) -> float | None:
        """Share of the time since the start in which the device was not deaf."""
        span_s = now_s - self.started_s
        if span_s < RATE_SPAN_S:
            return None
        deaf_s = self.deaf_total_s + (0.0 if self.deaf_since_s is None else now_s - self.deaf_since_s)
        return max(0.0, 1.0 - deaf_s / span_s)

    def _drops_per_hour(self, now_s: float, dropped: int) -> float:
        self._drops.append((now_s, dropped))
        while now_s - self._drops[0][0] > 3600.0:
            self._drops.popleft()
        return float(dropped - self._drops[0][1])


def process_table(look: Look) -> dict[str, Any]:
    """For messages: process → what it takes."""
    return {name: asdict(use) for name, use in look.uses.items()}
