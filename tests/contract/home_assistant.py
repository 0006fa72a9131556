"""In: a Python that has Home Assistant, a broker's port. Out: a real core with the MQTT integration, and what it knows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.broker import free_port
from tests.shared import ROOT
from tests.telemetry import until

STAMP = "2026-01-01T00:00:00+00:00"
BLUEPRINT = ROOT / "docs" / "home-assistant" / "home_commands.yaml"
START_S, STOP_S = 60.0, 40.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An entity in the core's registry."""

    key: str
    """Ours: the last part of its unique id."""
    entity_id: str
    name: str
    category: str
    state: str | None
    """As the core remembers it over a restart; None for kinds that it does not remember."""


class Core:
    """One core with a folder of its own. `run` is one life of it; what it learnt is read after its end."""

    def __init__(self, python: str, folder: Path, broker_port: int) -> None:
        self._python = python
        self._folder = folder
        (folder / ".storage").mkdir(parents=True)
        blueprints = folder / "blueprints" / "automation" / "voice_appliance"
        blueprints.mkdir(parents=True)
        shutil.copy(BLUEPRINT, blueprints)
        (folder / "configuration.yaml").write_text(
            "homeassistant:\n  name: Test\n  time_zone: UTC\n  country: DE\n  unit_system: metric\n"
            f"http:\n  server_host: 127.0.0.1\n  server_port: {free_port()}\n"
            "conversation:\nautomation:\n"
            "  - use_blueprint:\n      path: voice_appliance/home_commands.yaml\n      input: {}\n"
            "logger:\n  default: warning\n  logs:\n    homeassistant.components.mqtt: info\n"
        )
        entry = {
            "created_at": STAMP, "modified_at": STAMP,
            "data": {"broker": "127.0.0.1", "discovery": True, "port": broker_port},
            "disabled_by": None, "discovery_keys": {}, "domain": "mqtt", "entry_id": "01JAAAAAAAAAAAAAAAAAAAAAAA",
            "minor_version": 2, "options": {}, "pref_disable_new_entities": False, "pref_disable_polling": False,
            "source": "user", "subentries": [], "title": "broker", "unique_id": None, "version": 1,
        }  # fmt: skip
        stored = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
        (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored))

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Started until MQTT is up; ended as its service manager ends it, so that it writes what it knows."""
        (self._folder / "home-assistant.log").unlink(missing_ok=True)
        with (self._folder / "out").open("ab") as out:
            core = await asyncio.create_subprocess_exec(
                self._python, "-m", "homeassistant", "-c", str(self._folder), "--skip-pip",
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            await until(lambda: core.returncode is not None or self.log().count("birth message sent") > 0, START_S)
            assert core.returncode is None, self.log()[-2000:]
            yield
        finally:
            if core.returncode is None:
                core.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(core.wait(), STOP_S)
            if core.returncode is None:
                core.kill()

    def log(self) -> str:
        """What it logged so far."""
        file = self._folder / "home-assistant.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def entities(self) -> list[Seen]:
        """What it knows, after `run`."""
        states = {row["state"]["entity_id"]: row["state"] for row in self._stored("core.restore_state")}
        found = []
        for row in self._stored("core.entity_registry")["entities"]:
            if row["platform"] == "mqtt":
                state = states.get(row["entity_id"])
                name = row["name"] or row["original_name"]
                known = None if state is None else state["state"]
                key = str(row["unique_id"]).removeprefix("appliance_kitchen_")
                found.append(Seen(key, row["entity_id"], name, row["entity_category"] or "", known))
        return sorted(found, key=lambda seen: seen.entity_id)

    def devices(self) -> list[dict[str, Any]]:
        """Devices that MQTT made."""
        rows = self._stored("core.device_registry")["devices"]
        return [row for row in rows if any(kind == "mqtt" for kind, _ in row["identifiers"])]

    def _stored(self, name: str) -> Any:
        file = self._folder / ".storage" / name
        return json.loads(file.read_text())["data"] if file.exists() else []
