"""In: dice. Out: what one device would measure and say, in the real message types; and how a sick one is different."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance.events import MEASURES_MS, Hearing, Outcome, State, TurnRecord
from appliance.telemetry.device import EngineFacts
from appliance.telemetry.metrics.alerts import Alerts
from appliance.telemetry.metrics.board_sensors import BoardSensors
from appliance.telemetry.metrics.budgets import BUDGETS
from appliance.telemetry.metrics.faults import FAULTS
from appliance.telemetry.metrics.measures import UNKNOWN, Look
from appliance.telemetry.metrics.processes import Use
from appliance.telemetry.metrics.windows import Turns
from appliance.telemetry.mqtt.messages import metrics_body, state_body, turn_body


class Fault(StrEnum):
    """How a device can be sick."""

    SILENT = "silent"
    """Connected, and says nothing after a while."""
    FLOODING = "flooding"
    """A hundred messages a second."""
    SLOW = "slow"
    """Recognition takes seconds."""
    LEAKING = "leaking"
    """Memory grows."""
    DEAF = "deaf"
    """The microphone gives no sound."""
    OLD_SCHEMA = "old_schema"
    """Speaks message version 0."""
    WRONG_CLOCK = "wrong_clock"
    """An hour ahead."""
    DUPLICATE_ID = "duplicate_id"
    """Two devices use one name."""


ROOMS = ("Kitchen", "Living room", "Bedroom", "Bathroom", "Study", "Hall", "Nursery", "Workshop", "Garage", "Attic",
         "Cellar", "Guest room", "Dining room", "Pantry", "Library", "Conservatory")  # fmt: skip
_INTENTS = ("HassTurnOn", "HassTurnOff", "HassStartTimer", "HassGetCurrentTime", "HassLightSet", "HassGetState")
_OUTCOMES = ((Outcome.ANSWERED, 0.82), (Outcome.HANDED_OVER, 0.1), (Outcome.NOT_UNDERSTOOD, 0.05),
             (Outcome.NO_SPEECH, 0.02), (Outcome.FAILED, 0.01))  # fmt: skip
_MEDIANS_MS = {"wake": 40, "endpoint": 160, "stt": 14, "intent": 3, "action": 2, "tts_first": 12, "play": 22}
"""Roughly what the program measures; a turn's response is their sum from the end of speech on."""
SLOW_STT_MS = 2600.0
LEAK_MB_PER_S = 0.5
AHEAD_S = 3600.0
CACHED_TURNS = 60


class _Window(Turns):
    """The real window of turns; its spreads are taken once a turn, not once a message."""

    __slots__ = ("_spreads", "_spreads_of")

    def times(self) -> dict[str, dict[str, float | None]]:
        if getattr(self, "_spreads_of", None) != self.total:
            self._spreads_of, self._spreads = self.total, super().times()
        return self._spreads


@dataclass(slots=True)
class SimulatedDevice:
    """One device. Implements telemetry's Source, so that the bodies are made by the real code."""

    id: str
    dice: random.Random
    fault: Fault | None = None
    born_s: float = field(default_factory=time.monotonic)
    run: str = ""
    is_muted: bool = False
    volume: int = 70
    restarts: dict[str, int] = field(default_factory=lambda: {"sound": 0, "stt": 0, "tts": 0})
    turns: _Window = field(default_factory=lambda: _Window(CACHED_TURNS))
    alerts: Alerts = field(default_factory=lambda: Alerts(BUDGETS + FAULTS))
    number: int = 0
    healed: bool = False
    """A deaf ear hears again after its engine was restarted."""

    def __post_init__(self) -> None:
        self.run = f"{self.dice.getrandbits(32):08x}"

    # -- telemetry's Source ---------------------------------------------------------------------------------------

    def engines(self) -> Mapping[str, EngineFacts]:
        return {
            name: EngineFacts(True, name, None, restarts, False, None, None, {"wakes": float(self.turns.total)})
            for name, restarts in self.restarts.items()
        }

    def hearing(self) -> tuple[Hearing, str | None]:
        if self.fault is Fault.DEAF and not self.healed:
            return Hearing.DEAF, "no frames for 12 s"
        return (Hearing.MUTED if self.is_muted else Hearing.HEARING), None

    def muted(self) -> bool:
        return self.is_muted

    def volume_percent(self) -> int:
        return self.volume

    def startup_s(self) -> float | None:
        return 2.4

    def led_ms(self) -> Sequence[float]:
        return ()

    def intent_lookups(self) -> tuple[int, int]:
        return 0, 0

    def dropped(self) -> Mapping[str, int]:
        return {"telemetry": 0}

    def about(self) -> Mapping[str, Any]:
        number = int(self.id.rpartition("-")[2])
        return {
            "version": "1.2.0" if number % 7 else "1.1.4",
            "name": f"{ROOMS[number % len(ROOMS)]} {number // len(ROOMS) + 1}",
            "area": ROOMS[number % len(ROOMS)],
            "language": "en",
            "wake_words": ["okay_nabu"],
            "models": {},
        }

    # -- bodies ---------------------------------------------------------------------------------------------------

    def stamp(self) -> dict[str, Any]:
        """Version, id and time of a numbered message, as the outbox makes them."""
        self.number += 1
        ahead_s = AHEAD_S if self.fault is Fault.WRONG_CLOCK else 0.0
        version = 0 if self.fault is Fault.OLD_SCHEMA else 1
        return {"v": version, "id": f"{self.run}-{self.number}", "at": round(time.time() + ahead_s, 3)}

    def info(self) -> dict[str, Any]:
        board = "Raspberry Pi 5 Model B Rev 1.0" if int(self.id.rpartition("-")[2]) % 5 else "Raspberry Pi 4 Model B"
        return {"v": 1, "device": self.id, "run": self.run, "board": board, **self.about()}

    def state(self, states: Sequence[State] = (State.IDLE,)) -> dict[str, Any]:
        return {"v": 1, **state_body(self, states, self.turns, self.alerts.holding())}

    def turn(self) -> dict[str, Any]:
        """One more turn of the household."""
        outcome = self.dice.choices([o for o, _ in _OUTCOMES], [share for _, share in _OUTCOMES])[0]
        spoken = outcome not in (Outcome.NO_SPEECH, Outcome.FAILED)
        ms: dict[str, float | None] = dict.fromkeys(MEASURES_MS)
        for name, median in _MEDIANS_MS.items():
            if spoken or name in ("wake", "endpoint"):
                ms[name] = round(median * self.dice.lognormvariate(0.0, 0.35), 1)
        if self.fault is Fault.SLOW and spoken:
            ms["stt"] = round(SLOW_STT_MS * self.dice.lognormvariate(0.0, 0.2), 1)
        if spoken:
            parts = [value for name, value in ms.items() if value is not None and name != "wake"]
            ms["response"] = round(sum(parts), 1)
        record = TurnRecord(
            turn=f"{self.run}-t{self.turns.total + 1}", outcome=outcome, cause="wake", wake_word="okay_nabu",
            wake_score=round(self.dice.uniform(0.7, 1.0), 3), intent=self.dice.choice(_INTENTS) if spoken else None,
            confidence=round(self.dice.uniform(0.6, 1.0), 3) if spoken else None, ms=ms,
            noise_dbfs=round(self.dice.gauss(-52, 4), 1), cached=self.dice.random() < 0.8,
            error="engine" if outcome is Outcome.FAILED else None,
        )  # fmt: skip
        self.turns.add(record)
        return {**self.stamp(), **turn_body(record, False)}

    def metrics(self, interval_s: float) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any] | None]]]:
        """The body, and alerts that began (their body) or ended (None)."""
        now_s = time.monotonic()
        look = Look(now_s, self._uses(now_s), self._board(), True, 0.0)
        values = self._values(look)
        body = metrics_body(self, look, self.turns, values, {
            "interval_s": interval_s, "yielded": 0,
            "mqtt": {
                "connected": True, "waiting": 0, "waiting_bytes": 0, "dropped": {}, "delivered": {"metrics": self.number},
                "repeated": 0, "counters": {}, "commands": {}, "bytes_in": 1000, "bytes_out": 4000 * self.number,
                "telemetry_cpu_s": round(0.002 * self.number, 3),
            },
        })  # fmt: skip
        changes = [
            (change.name, {**self.stamp(), **change.alert.body()} if change.alert else None)
            for change in self.alerts.look(values)
        ]
        return {**self.stamp(), **body}, changes

    def _uses(self, now_s: float) -> dict[str, Use]:
        leak_mb = LEAK_MB_PER_S * (now_s - self.born_s) if self.fault is Fault.LEAKING else 0.0
        sizes = {"supervisor": 48.0, "sound": 52.0, "stt": 96.0 + leak_mb, "tts": 61.0}
        return {
            name: Use(
                round(max(0.0, self.dice.gauss(0.006, 0.002)), 4), round(size * 1.2, 1), round(size, 1), 8, 24, 4096
            )
            for name, size in sizes.items()
        }

    def _board(self) -> BoardSensors:
        return BoardSensors(
            temperature_c=round(self.dice.gauss(52.0, 1.5), 1), throttled=False, undervoltage=False,
            wifi_dbm=round(self.dice.gauss(-55.0, 3.0), 1), disk_free_mb=21_000.0, memory_available_mb=3_100.0,
        )  # fmt: skip

    def _values(self, look: Look) -> dict[str, float | None]:
        judged = self.turns.judged()
        values: dict[str, float | None] = dict(UNKNOWN)
        for name in MEASURES_MS:
            found = [judged[key] for key in (f"{name}_ms.p50", f"{name}_ms.p95") if key in judged]
            if found and f"{name}_ms" in values:
                values[f"{name}_ms"] = found[0] if name == "response" else max(found)
        values["response_p95_ms"] = judged.get("response_ms.p95")
        memory_mb = sum(use.pss_mb or 0.0 for use in look.uses.values())
        span_s = look.at_s - self.born_s
        values |= {
            "memory_idle_mb": round(memory_mb, 1), "memory_peak_mb": round(memory_mb, 1),
            "memory_growth_mb_per_hour": LEAK_MB_PER_S * 3600 if self.fault is Fault.LEAKING and span_s > 10 else 0.1,
            "cpu_idle_ratio": sum(use.cpu_ratio or 0.0 for use in look.uses.values()), "startup_s": 2.4,
            "front_end_ms": round(self.dice.gauss(0.6, 0.05), 3), "descriptors": 96.0, "threads": 32.0,
            "error_rate": self.turns.error_rate(), "temperature_c": look.board.temperature_c,
            "deaf_s": span_s if self.hearing()[0] is Hearing.DEAF else 0.0, "engines_down": 0.0,
            "undervoltage": 0.0, "throttled": 0.0, "messages_dropped_per_hour": 0.0,
        }  # fmt: skip
        return values
