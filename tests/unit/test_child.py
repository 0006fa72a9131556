"""A child's life against a fake engine: back-off counts from ready, whatever it took to load, and nothing ends `run`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import EngineError
from appliance.events import Bus, DeviceEvent, EngineChanged
from appliance.settings.supervision import SupervisorSettings
from appliance.supervisor import child as child_module
from appliance.supervisor.child import NOT_READY, PROVEN_S, Child
from appliance.supervisor.restart import RestartPolicy
from appliance.wire.message import Describe, Ping, Pong, Ready
from tests.clock import instant, settle
from tests.fakes import FakeConnection

SETTINGS = SupervisorSettings(start_s=20.0, backoff_first_s=0.1, backoff_most_s=5.0, breaker_restarts=6)


class Longest(random.Random):
    """Draws the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        return b


class FakeEngine:
    """A process that loads for `load_s` and then lives for `lives_s`; without an end where that is None."""

    def __init__(self) -> None:
        self.load_s: float | None = 0.0
        """None: never ready."""
        self.lives_s: float | None = None
        self.started_s: list[float] = []
        self.connections: list[FakeConnection] = []
        self.answers_pings = True

    async def start(self, child: Child) -> None:
        self.started_s.append(asyncio.get_running_loop().time())

    async def connect(self, uri: str, stage: str) -> FakeConnection:
        now_s = asyncio.get_running_loop().time()
        if self.load_s is None or (self.started_s and now_s - self.started_s[-1] < self.load_s):
            raise EngineError("unreachable", "It loads.", stage)
        connection = FakeConnection(self._answer)
        self.connections.append(connection)
        if self.lives_s is not None:
            asyncio.get_running_loop().call_later(self.lives_s, connection.say, EngineError("closed", "It crashed."))
        return connection

    def _answer(self, connection: FakeConnection, event: object) -> None:
        if Describe.matches(event):  # type: ignore[arg-type]
            connection.say(Ready("fake", "a model"))
        elif Ping.matches(event) and self.answers_pings:  # type: ignore[arg-type]
            connection.say(Pong(counters={"frames": 7.0}))

    @property
    def waits(self) -> list[float]:
        """Seconds between starts."""
        return [round(b - a, 2) for a, b in zip(self.started_s, self.started_s[1:], strict=False)]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    fake = FakeEngine()
    monkeypatch.setattr(child_module, "connect", fake.connect)
    monkeypatch.setattr(child_module, "CONNECT_RETRY_S", 0.5)
    monkeypatch.setattr(Child, "_start", lambda child: fake.start(child))
    yield fake


class Kept:
    """A child that runs, and what was told of it."""

    def __init__(self, uri: str | None = None, settings: SupervisorSettings = SETTINGS) -> None:
        self.bus = Bus()
        self.watch = self.bus.subscribe("test", 10_000)
        self.child = Child("stt", settings, self.bus, Path("stt.sock"), Path("child.json"), uri)
        self.child._policy = RestartPolicy(settings, Longest())

    async def __aenter__(self) -> Kept:
        self.task = asyncio.create_task(self.child.run())
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert not self.task.done(), "nothing ends a child's life"
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    @property
    def told(self) -> list[EngineChanged]:
        events: list[DeviceEvent] = list(self.watch.waiting())
        return [event for event in events if isinstance(event, EngineChanged)]


@instant
async def test_a_child_becomes_ready_and_its_counters_are_taken(engine: FakeEngine) -> None:
    async with Kept() as kept:
        await asyncio.sleep(1.0)
        assert kept.child.ready and kept.child.counters == {"frames": 7.0}
        assert kept.child.about == Ready("fake", "a model")
        assert [event.change for event in kept.told] == ["ready"]


@instant
async def test_a_child_that_never_becomes_ready_opens_the_breaker_however_slowly_it_fails(engine: FakeEngine) -> None:
    """Twelve start time-outs of 20 s each gave waits of 0.1 s at the most, and no breaker: they are not within its window."""
    engine.load_s = None
    async with Kept() as kept:
        await asyncio.sleep(6 * 21.0 + 5.0)
        assert kept.child.breaker_open
        assert "breaker_open" in [event.change for event in kept.told]
        assert engine.waits[:5] == [20.1, 20.2, 20.4, 20.8, 21.6]
        engine.load_s = 0.0
        await asyncio.sleep(SETTINGS.breaker_open_s + 1.0)
        assert kept.child.ready and not kept.child.breaker_open


@instant
async def test_young_deaths_wait_longer_and_longer_though_loading_took_long(engine: FakeEngine) -> None:
    engine.load_s, engine.lives_s = PROVEN_S + 3.0, 0.0
    settings = SETTINGS.model_copy(update={"breaker_window_s": 5.0})
    async with Kept(settings=settings) as kept:
        await asyncio.sleep(60.0)
        seen_s = engine.load_s + SETTINGS.heartbeat_s
        assert [round(wait - seen_s, 1) for wait in engine.waits[:4]] == [0.1, 0.2, 0.4, 0.8]
        assert not kept.child.breaker_open


@instant
async def test_a_child_that_proved_itself_is_back_soon(engine: FakeEngine) -> None:
    engine.lives_s = PROVEN_S + 1.0
    settings = SETTINGS.model_copy(update={"breaker_window_s": 5.0})
    async with Kept(settings=settings):
        await asyncio.sleep(60.0)
        assert {round(wait - engine.lives_s, 1) for wait in engine.waits} == {0.1}


@instant
async def test_a_hung_child_is_replaced(engine: FakeEngine) -> None:
    async with Kept() as kept:
        await asyncio.sleep(1.0)
        engine.answers_pings = False
        await asyncio.sleep(SETTINGS.hung_s + 1.0)
        assert len(engine.started_s) == 2
        assert "said nothing" in (kept.child.last_failure or "")


@instant
async def test_who_sees_a_child_fail_has_it_replaced_but_not_one_that_is_only_starting(engine: FakeEngine) -> None:
    async with Kept() as kept:
        await asyncio.sleep(1.0)
        kept.child.suspect(EngineError(NOT_READY, "It was waited for in vain.", "stt"))
        await asyncio.sleep(1.0)
        assert kept.child.restarts == 0
        kept.child.suspect(EngineError("garbage", "It talks rubbish.", "stt"))
        assert not kept.child.ready
        kept.child.suspect(EngineError("garbage", "Another one saw it.", "stt"))
        await asyncio.sleep(1.0)
        assert kept.child.ready and kept.child.restarts == 1 and len(engine.started_s) == 2
        assert [(event.change, event.reason) for event in kept.told] == [
            ("ready", None), ("died", "It talks rubbish."), ("ready", None),
        ]  # fmt: skip


@instant
async def test_who_connects_waits_for_the_successor_within_the_time_given(engine: FakeEngine) -> None:
    engine.load_s = 2.0
    async with Kept() as kept:
        with pytest.raises(EngineError) as refused:
            await kept.child.connect(1.0)
        assert refused.value.code == NOT_READY
        assert await kept.child.connect(3.0) is engine.connections[-1]


@instant
async def test_an_engine_supervised_elsewhere_is_not_ready_once_it_is_gone(engine: FakeEngine) -> None:
    async with Kept(uri="tcp://recogniser:10300") as kept:
        await asyncio.sleep(1.0)
        assert kept.child.ready and engine.started_s == []
        engine.load_s = None
        engine.connections[0].say(EngineError("closed", "It went away."))
        await settle()
        assert not kept.child.ready
        engine.load_s = 0.0
        await asyncio.sleep(2.0)
        assert kept.child.ready


@instant
async def test_a_process_that_cannot_be_made_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """fork fails with EAGAIN where too many processes run: that passes."""
    tries = 0

    async def no_process(*args: object, **named: object) -> None:
        nonlocal tries
        tries += 1
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", no_process)
    async with Kept() as kept:
        kept.child._socket = tmp_path / "stt.sock"
        await asyncio.sleep(2.0)
        assert tries > 2 and "cannot be started" in (kept.child.last_failure or "")
