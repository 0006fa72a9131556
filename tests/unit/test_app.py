"""An exception in every part in turn: told, backed off, started again; the rest of the device lives, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance import app as app_module
from appliance.app import Appliance, running
from appliance.conversation.machine import Phase
from appliance.errors import SettingsError
from appliance.events import PartFailed
from appliance.settings import Settings
from appliance.supervisor.child import Child
from appliance.wire.child import Models
from tests.clock import instant
from tests.fakes import FakeAgent

PARTS = (
    "timers", "agenda", "tell", "panel", "greet", "prepare recogniser", "hearing repair", "telemetry", "control", "health",
)  # fmt: skip


class AppAgent(FakeAgent):
    """What the app asks of its agent besides."""

    def __init__(self, *_: object) -> None:
        super().__init__()
        self.muted = False
        self.agenda = SimpleNamespace(run=_for_ever)
        self.timers = SimpleNamespace(run=_for_ever, all=tuple, ringing=tuple)
        self.levels = SimpleNamespace(percent=lambda voice: 50)
        self.problems: list[object] = []
        self.home_problem = None

    def write_grammar(self, folder: Path) -> None:
        pass

    def on_tell(self, text: str) -> None:
        raise AssertionError("the app provides it")

    def on_alarm(self) -> None:
        raise AssertionError("the app provides it")

    async def recall(self) -> None:
        pass

    def phrases(self) -> tuple[str, ...]:
        return ()


async def _for_ever(*_: object) -> None:
    await asyncio.Event().wait()


class Lives:
    """Lives of all parts; the one named `broken` ends with `error` the first two times."""

    def __init__(self, broken: str, error: Exception | None) -> None:
        self.starts = dict.fromkeys(PARTS, 0)
        self.broken, self.error = broken, error

    def parts(self, appliance: Appliance) -> dict[str, Callable[[], Awaitable[None]]]:
        real = _REAL_PARTS(appliance)
        assert tuple(real) == PARTS, "a part that this test does not know"
        return {name: self._life(name) for name in real}

    def _life(self, name: str) -> Callable[[], Awaitable[None]]:
        async def live() -> None:
            self.starts[name] += 1
            await asyncio.sleep(0.1)
            if name == self.broken and self.starts[name] <= 2:
                if self.error is not None:
                    raise self.error
                return
            await asyncio.Event().wait()

        return live


_REAL_PARTS = Appliance.parts


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    async def ready(child: Child, timeout_s: float) -> bool:
        return True

    monkeypatch.setattr(app_module, "Agent", AppAgent)
    monkeypatch.setattr(Child, "run", _for_ever)
    monkeypatch.setattr(Child, "wait_ready", ready)
    base = Settings()
    device = base.device.model_copy(update={"runtime_dir": tmp_path / "run", "state_dir": tmp_path / "state"})
    return base.model_copy(update={"device": device})


@pytest.mark.parametrize("broken", PARTS)
@instant
async def test_an_error_in_a_part_ends_nothing_but_itself(
    broken: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = Lives(broken, ZeroDivisionError("a bug"))
    monkeypatch.setattr(Appliance, "parts", lambda appliance: lives.parts(appliance))
    async with running(settings, Models()) as appliance:
        told = appliance.bus.subscribe("test", 1000)
        await asyncio.sleep(10.0)
        failed = [event for event in told.waiting() if isinstance(event, PartFailed)]
        assert [(event.part, event.failures) for event in failed] == [(broken, 1), (broken, 2)]
        assert failed[0].error.startswith("ZeroDivisionError at ") and "a bug" not in failed[0].error
        assert lives.starts == {name: 3 if name == broken else 1 for name in PARTS}
        parts = appliance.health()["parts"]
        assert {name: row["running"] for name, row in parts.items() if name != "watchdog"} == dict.fromkeys(PARTS, True)
        assert parts[broken]["failures"] == 2 and parts[broken]["trouble"] == failed[0].error
        appliance.conversation.command("what time is it")
        await asyncio.sleep(20.0)
        assert len(appliance.conversation.records) == 1 and appliance.conversation.phase is Phase.IDLE


@instant
async def test_a_wrong_setting_of_a_part_ends_the_program_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = Lives("panel", SettingsError("bad-board", "panel.board: nobody knows it."))
    monkeypatch.setattr(Appliance, "parts", lambda appliance: lives.parts(appliance))
    with pytest.raises(SettingsError, match="nobody knows it"):
        async with running(settings, Models()):
            await asyncio.sleep(10.0)


@instant
async def test_an_error_in_what_is_vital_ends_the_program(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies(child: Child) -> None:
        raise ZeroDivisionError("a bug")

    lives = Lives("", None)
    monkeypatch.setattr(Appliance, "parts", lambda appliance: lives.parts(appliance))
    monkeypatch.setattr(Child, "run", dies)
    with pytest.raises((ZeroDivisionError, BaseExceptionGroup)):
        async with running(settings, Models()):
            await asyncio.sleep(10.0)
