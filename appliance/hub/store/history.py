"""In: what the fleet tells. Out: rows for the writer, with the numbers that devices and columns have in the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from appliance.hub.fleet.card import WATCHED
from appliance.hub.fleet.device import Device
from appliance.hub.fleet.fleet import Fleet, Listener
from appliance.hub.reception.messages import AlertBody, EventBody, MetricsBody, TurnBody
from appliance.hub.store.database import StoreStanding, open_history
from appliance.hub.store.packing import Columns
from appliance.hub.store.rollup import Rollup
from appliance.hub.store.writer import Row, Writer
from appliance.telemetry.metrics.budget import Verdict

_RAW = "INSERT OR REPLACE INTO raw VALUES (?, ?, ?)"
_TURN = "INSERT OR REPLACE INTO turn VALUES (?, ?, ?, ?)"
_LINE = "INSERT INTO line VALUES (?, ?, ?, ?, ?)"
_AUDIT = "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_DEVICE = "INSERT OR IGNORE INTO device VALUES (?, ?)"
_COLUMN = "INSERT OR IGNORE INTO columns VALUES (?, ?)"
QUANTILES = ("p50", "p95", "p99")


def kept(name: str, value: float) -> bool | None:
    """Whether a measure is within its target; None for what has no budget."""
    budget = WATCHED.get(name)
    return None if budget is None else budget.verdict(value) is Verdict.MET


def columns_of(body: MetricsBody) -> dict[str, float | None]:
    """What the history keeps of a set of metrics: measures, stages as `STAGE.p50`, the board, sums over processes."""
    values: dict[str, float | None] = dict(body.measures)
    for stage, spread in body.ms.items():
        values |= {f"{stage}.{quantile}": getattr(spread, quantile) for quantile in QUANTILES}
    cpu = [use.cpu_ratio for use in body.processes.values() if use.cpu_ratio is not None]
    memory = [use.rss_mb if use.pss_mb is None else use.pss_mb for use in body.processes.values()]
    values["cpu"] = sum(cpu) if cpu else None
    values["memory"] = sum(memory) if memory else None
    values["temperature"] = body.board.temperature_c
    values["wifi"] = body.board.wifi_dbm
    return values


class History(Listener):
    """Follows the fleet. Calls take microseconds: they pack and enqueue."""

    def __init__(self, folder: Path, most_bytes: int = 0) -> None:
        """Opens the history of `folder`; whatever is wrong with it stands in `standing`, nothing is raised."""
        self.standing = StoreStanding()
        self.folder = folder
        database = open_history(folder, self.standing)
        self.in_memory = not database.execute("PRAGMA database_list").fetchone()[2]
        self.columns = Columns()
        self.columns.know(name for (name,) in database.execute("SELECT name FROM columns ORDER BY place"))
        self._ids: dict[str, int] = {name: number for number, name in database.execute("SELECT id, name FROM device")}
        self._new: list[tuple[int, str]] = []
        self._next = max(self._ids.values(), default=0) + 1
        self.writer = Writer(database, self.standing, Rollup(self.columns, kept, most_bytes), self._first)

    def follow(self, fleet: Fleet) -> None:
        """From now on everything is kept."""
        self.writer.start()
        fleet.follow(self)

    def device_id(self, name: str) -> int | None:
        """The number of a device in the database."""
        return self._ids.get(name)

    def _id(self, device: str) -> int:
        found = self._ids.get(device)
        if found is None:
            found, self._next = self._next, self._next + 1
            self._ids[device] = found
            self._new.append((found, device))
        return found

    def _first(self) -> list[Row]:
        """On the writer's thread: devices and columns that the next rows stand on. Lists only grow at their ends."""
        rows = [Row(_DEVICE, each) for each in self._new[:]]
        rows += [Row(_COLUMN, each) for each in self.columns.added[:]]
        return rows

    # -- what the fleet tells -------------------------------------------------------------------------------------

    def metrics(self, device: Device, body: MetricsBody, at_s: float) -> None:
        packed = self.columns.pack(columns_of(body))
        self.writer.put(Row(_RAW, (self._id(device.id), _ms(at_s), packed)))

    def turn(self, device: Device, body: TurnBody, at_s: float) -> None:
        told = msgspec.to_builtins(body)
        keep = {name: told[name] for name in _TURN_KEPT if told[name] is not None}
        self.writer.put(Row(_TURN, (self._id(device.id), _ms(at_s), body.turn, _json(keep))))

    def event(self, device: Device, kind: str, body: EventBody, at_s: float) -> None:
        facts = [body.engine, body.wake_word, body.reason, body.winner]
        text = " ".join([body.event_type.replace("_", " "), *(str(fact) for fact in facts if fact)])
        self._line(device.id, at_s, kind, text)

    def alert(self, device: Device, name: str, body: AlertBody | None, at_s: float) -> None:
        what = name.replace("_", " ")
        text = f"{what} is well again" if body is None else f"{what}: {body.value:.4g} {body.unit}".rstrip()
        self._line(device.id, at_s, "alert", text, None if body is None else body.severity.value)

    def presence(self, device: Device, what: str, at_s: float) -> None:
        self._line(device.id, at_s, "presence", what)

    def audit(
        self, at_s: float, who: str, device: str, command: str, args: Any, ok: bool, result: str, took_ms: float | None
    ) -> None:
        """A command that went through the hub, with what became of it."""
        row = (_ms(at_s), who, device, command, _json(args), int(ok), result[:500], took_ms)
        self.writer.put(Row(_AUDIT, row))
        self._line(device, at_s, "command", f"{command} by {who}: {result[:200]}")

    def _line(self, device: str, at_s: float, kind: str, text: str, severity: str | None = None) -> None:
        self.writer.put(Row(_LINE, (self._id(device), _ms(at_s), kind, text[:300], severity)))

    def close(self) -> None:
        """Everything told so far is on the disk when this returns. Blocks for a moment."""
        self.writer.close()


_TURN_KEPT = (
    "outcome", "cause", "intent", "confidence", "wake_word", "wake_score", "noise_dbfs", "cached", "failed", "ms",
    "transcript", "reply",
)  # fmt: skip


def _ms(at_s: float) -> int:
    return round(at_s * 1000)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
