"""In: systemd and the program's own commands. Out: the running device as the gate sees it; start and stop.

Only the command line is used (status, doctor, selftest, say, panel), so that an old updater judges new releases.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import UpdateError
from appliance.update.gate import Seen, SelfTurn, ServiceState, judge_growth, judge_look, judge_seen
from appliance.update.layout import Layout
from appliance.update.records import table_of

UNIT = "appliance.service"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SYSTEMCTL_S = 30.0
ASK_S = 15.0
LOOK_EVERY_S = 3.0
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How long the gate looks (/etc/appliance/update/update.json; see docs/fleet.md)."""

    start_s: float = 60.0
    """From the start to READY=1, engines, the broker: what was green before must be green by then."""
    watch_s: float = 60.0
    """Then watched for this long."""
    turn_s: float = 60.0
    """The longest self-spoken turn, loading of models included."""
    aloud: bool = True
    """Say a word on the loudspeaker before and after, so that a mute release is noticed."""

    @classmethod
    def of(cls, table: dict[str, Any] | None) -> GateSettings:
        """What is damaged or out of range keeps its default."""
        given = table or {}
        numbers: dict[str, float] = {}
        for name, low, high in (("start_s", 10.0, 300.0), ("watch_s", 5.0, 600.0), ("turn_s", 10.0, 300.0)):
            value = given.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
                numbers[name] = float(value)
        aloud = given.get("aloud")
        return cls(**numbers, aloud=aloud if isinstance(aloud, bool) else True)


class SystemdService:
    """The unit and the program of this device."""

    def __init__(self, layout: Layout, settings: GateSettings, say: Callable[[str], None] = print) -> None:
        self._layout, self._settings, self._say = layout, settings, say

    def stop(self) -> None:
        _call(["systemctl", "stop", UNIT], SYSTEMCTL_S)

    def start(self) -> None:
        _call(["systemctl", "reset-failed", UNIT], SYSTEMCTL_S)
        _call(["systemctl", "restart", "--no-block", UNIT], SYSTEMCTL_S)

    def ensure_started(self) -> None:
        _call(["systemctl", "start", "--no-block", UNIT], SYSTEMCTL_S)

    def boot_id(self) -> str:
        return BOOT_ID.read_text().strip()

    def progress(self, version: str, share: float) -> None:
        """A record for those who ask, and the LEDs of the running program; it plays the state in the background."""
        with contextlib.suppress(OSError):
            self._layout.progress.write_text(json.dumps({"version": version, "share": share}))
            subprocess.Popen(
                [self._program(), "panel", "show", "updating", "--seconds", "60", "--value", str(share)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def observe(self) -> Seen:
        return Seen(self._look(), self._doctor(), self._turn())

    def gate(self, before: Seen | None) -> list[str]:
        was = before.look if before is not None else None
        reasons = self._until_green(was)
        if reasons:
            return reasons
        self._say("gate: started, a spoken turn is next")
        reasons = judge_seen(before, Seen(self._look(), self._doctor(), self._turn()))
        reasons += self._heard_aloud(before)
        return reasons or self._watch(was)

    # --- the parts of the gate ------------------------------------------------------------------------------------

    def _until_green(self, was: ServiceState | None) -> list[str]:
        """Waits until nothing is worse than before; what is still worse at the end."""
        end_s = time.monotonic() + self._settings.start_s
        while True:
            look = self._look()
            reasons = judge_look(was, look)
            if not reasons or look.restarts > 1 or time.monotonic() > end_s:
                return reasons
            time.sleep(1.0)

    def _watch(self, was: ServiceState | None) -> list[str]:
        end_s, memory = time.monotonic() + self._settings.watch_s, []
        while time.monotonic() < end_s:
            look = self._look()
            if reasons := judge_look(was, look):
                # Once more: one late answer of a busy device is no verdict.
                time.sleep(LOOK_EVERY_S)
                if again := judge_look(was, self._look()):
                    return again
                self._say(f"gate: for a moment {reasons[0]}")
            memory.append(look.memory_mb)
            time.sleep(LOOK_EVERY_S)
        return judge_growth(memory)

    def _look(self) -> ServiceState:
        shown = _properties(
            _call(["systemctl", "show", UNIT, "-p", "ActiveState,NRestarts,ControlGroup"], SYSTEMCTL_S)[1]
        )
        active, restarts = shown.get("ActiveState") == "active", int(shown.get("NRestarts") or 0)
        if not active:
            return ServiceState(False, restarts)
        status = table_of(_call([self._program(), "status", "--json"], ASK_S)[1].encode())
        memory_mb = _memory_mb(CGROUPS / shown.get("ControlGroup", "/").lstrip("/"))
        return look_of(status, restarts, memory_mb)

    def _doctor(self) -> dict[str, str]:
        return doctor_of(_call([self._program(), "doctor", "--json"], 2 * ASK_S)[1])

    def _turn(self) -> SelfTurn | None:
        return turn_of(_call([self._program(), "selftest", "--json"], self._settings.turn_s)[1])

    def _heard_aloud(self, before: Seen | None) -> list[str]:
        """The loudspeaker: `say` ends well when the card has played everything."""
        if not self._settings.aloud or (before is not None and before.look.hearing == "deaf"):
            return []
        done = _call([self._program(), "say", "Updated."], 2 * ASK_S)
        return [] if done[0] == 0 else ["it cannot speak through its sound card"]

    def _program(self) -> str:
        return str(self._layout.current / "venv" / "bin" / "appliance")


# --- readers of what the program prints: type and range are checked, what is strange counts as not working ----------------


def look_of(status: dict[str, Any] | None, restarts: int, memory_mb: float | None) -> ServiceState:
    if status is None:
        return ServiceState(True, restarts, memory_mb=memory_mb)
    engines, telemetry = _table(status.get("engines")), _table(status.get("telemetry"))
    mqtt, budgets = _table(telemetry.get("mqtt")), _table(telemetry.get("budgets"))
    return ServiceState(
        active=True,
        restarts=restarts,
        answers=True,
        hearing=str(status.get("hearing")),
        connected=mqtt.get("connected") is True if mqtt.get("wanted") else None,
        engines={name: _table(engine).get("ready") is True for name, engine in engines.items()},
        critical=frozenset(name for name, row in budgets.items() if _table(row).get("verdict") == "critical"),
        memory_mb=memory_mb,
    )


def doctor_of(text: str) -> dict[str, str]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(rows, list):
        return {}
    known = ("ok", "warning", "wrong")
    return {
        str(row.get("name")): row["verdict"]
        for row in map(_table, rows)
        if row.get("verdict") in known and "name" in row
    }


def turn_of(text: str) -> SelfTurn | None:
    lines = [found for line in text.splitlines() if (found := table_of(line.encode())) is not None]
    if not lines or not isinstance(lines[-1].get("outcome"), str):
        return None
    response, reply_s = _table(lines[-1].get("ms")).get("response"), lines[-1].get("reply_s")
    number = response if isinstance(response, int | float) and not isinstance(response, bool) else None
    heard_s = float(reply_s) if isinstance(reply_s, int | float) and not isinstance(reply_s, bool) else 0.0
    return SelfTurn(lines[-1]["outcome"], number, heard_s)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _memory_mb(group: Path) -> float | None:
    """What the unit's processes hold for themselves (anonymous memory); None where systemd counts none."""
    try:
        rows = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return int(rows["anon"]) / 1e6
    except (OSError, ValueError, KeyError):
        return _rss_mb(group)


def _rss_mb(group: Path) -> float | None:
    """The same from the processes themselves, where the kernel does not count by group (containers)."""
    total_kb = 0
    try:
        for number in (group / "cgroup.procs").read_text().split():
            rows = dict(
                line.split(":", 1) for line in Path(f"/proc/{number}/status").read_text().splitlines() if ":" in line
            )
            total_kb += int(rows["RssAnon"].split()[0])
    except (OSError, ValueError, KeyError, IndexError):
        return None
    return total_kb / 1000


def _call(command: list[str], timeout_s: float) -> tuple[int, str]:
    """Exit code and standard output; 124 and nothing where it did not end in time or could not be run."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=timeout_s, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 124, ""
    return done.returncode, done.stdout.decode(errors="replace")


def settings_of(layout: Layout) -> GateSettings:
    """The site's file, where there is one."""
    try:
        return GateSettings.of(table_of(layout.settings.read_bytes()))
    except OSError:
        return GateSettings()


def verdict_code(outcome: str) -> int:
    """Exit code of an update: 0 where the device runs what it was asked to run."""
    if outcome not in ("confirmed", "failed", "taken-back"):
        raise UpdateError("bad-outcome", f"There is no outcome '{outcome}'.")
    return 0 if outcome == "confirmed" else 1
