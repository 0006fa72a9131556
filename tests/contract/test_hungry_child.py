"""In: a real engine that is starved, stopped, looping, or not yet there. Out: only those that hang are replaced."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from appliance.conversation.clients.sound import SoundClient
from appliance.errors import EngineError
from appliance.events import Bus
from appliance.settings import load
from appliance.supervisor.child import Child
from appliance.supervisor.patience import FORGIVEN_MOST_S
from appliance.supervisor.schedstat import threads
from appliance.wire.child import ChildConfig, Models
from appliance.wire.frame import GRACE_S

log = logging.getLogger(__name__)

pytestmark = [
    pytest.mark.skipif(threads(os.getpid()) is None, reason="this kernel does not count waiting for a CPU"),
    pytest.mark.timeout(90),
]

START_S = 20.0
REPORT_S = 15.0
SLACK_S = 6.0
"""A busy machine's own lateness; what is never replaced still fails."""


@asynccontextmanager
async def supervised(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Child]:
    """The real sound engine, fed with silence, under its supervisor, and able to obey tests/contract/hungry."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "hungry"))
    monkeypatch.setenv("HUNGRY_REPORT", str(folder / "report"))
    settings, _ = load(None, ["sound.source=feed", "wake.engine=none"], {})
    ChildConfig(settings=settings, models=Models()).write(folder / "config")
    bus = Bus()
    ear = SoundClient(settings.supervisor, bus)
    child = Child("sound", settings.supervisor, bus, folder / "socket", folder / "config", session=ear.session)
    running = asyncio.create_task(child.run())
    try:
        assert await child.wait_ready(START_S)
        await asyncio.sleep(0.5)  # a heartbeat or two
        yield child
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@contextmanager
def starved(pid: int) -> Iterator[None]:
    """The process shares one core with an endless loop that is worth seventy times as much (nice 0 to 19)."""
    core = min(os.sched_getaffinity(0))
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"], stdin=subprocess.DEVNULL)
    try:
        os.sched_setaffinity(loop.pid, {core})
        for tid in (int(folder.name) for folder in Path(f"/proc/{pid}/task").iterdir()):
            os.sched_setaffinity(tid, {core})
            os.setpriority(os.PRIO_PROCESS, tid, 19)
        yield
    finally:
        loop.kill()
        loop.wait()


async def told(report: Path) -> tuple[float, float]:
    """Seconds the ordered work took by the clock, and of CPU. Fails where it does not end."""
    until_s = time.monotonic() + REPORT_S
    while time.monotonic() < until_s:
        if report.exists() and len(words := report.read_text().split()) == 2:
            return float(words[0]), float(words[1])
        await asyncio.sleep(0.05)
    raise AssertionError("the child did not end its work")


async def until(come: Callable[[], bool]) -> None:
    for _ in range(int(START_S / 0.005)):
        if come():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come")


async def replaced_after(child: Child, limit_s: float) -> float | None:
    """Seconds until the child was replaced and is ready again; None where it was not within `limit_s`."""
    began_s, restarts = time.monotonic(), child.restarts
    while time.monotonic() - began_s < limit_s:
        if child.restarts > restarts and child.ready:
            return time.monotonic() - began_s
        await asyncio.sleep(0.02)
    return None


async def test_a_child_that_waits_for_a_cpu_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with supervised(tmp_path, monkeypatch) as child:
        pid = child.pid
        assert pid is not None
        with starved(pid):
            os.kill(pid, signal.SIGUSR1)
            wall_s, cpu_s = await told(tmp_path / "report")
            await asyncio.sleep(1.0)  # what it was asked meanwhile is answered
        log.warning("silent for %.2f s with %.3f s of CPU, replaced %d times", wall_s, cpu_s, child.restarts)
        if wall_s < 2.0:
            pytest.skip(f"this machine let it run {cpu_s:.2f} s in {wall_s:.2f} s")
        assert (child.pid, child.restarts, child.last_failure) == (pid, 0, None)


@pytest.mark.parametrize(("order", "forgiven_s"), [(signal.SIGSTOP, 0.0), (signal.SIGUSR2, FORGIVEN_MOST_S)])
async def test_a_child_that_hangs_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: signal.Signals, forgiven_s: float
) -> None:
    async with supervised(tmp_path, monkeypatch) as child:
        hung_s = load(None, [], {})[0].supervisor.hung_s
        assert child.pid is not None
        os.kill(child.pid, order)
        took_s = await replaced_after(child, hung_s + GRACE_S + forgiven_s + SLACK_S)
        log.warning("%s: ready again after %s s", order.name, took_s)
        assert took_s is not None
        assert child.last_failure is not None
        assert "said nothing" in child.last_failure


async def test_a_child_that_is_being_started_is_not_suspected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waited in vain for the successor of a dead child does not have it killed as soon as it is ready."""
    async with supervised(tmp_path, monkeypatch) as child:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await until(lambda: not child.ready)
        child.suspect(EngineError("not-ready", "The sound engine is not ready.", "sound"))
        await until(lambda: child.restarts == 1)
        child.suspect(EngineError("not-ready", "The sound engine is not ready.", "sound"))
        assert await child.wait_ready(START_S)
        await asyncio.sleep(0.5)
        assert child.ready
        assert child.restarts == 1
