"""In: looks at a silent child. Out: hunger is forgiven within bounds, work by half, sleep and a stop not at all."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.supervisor import schedstat
from appliance.supervisor.liveness import LivenessProbe
from appliance.supervisor.patience import FORGIVEN_MOST_S, Patience
from appliance.supervisor.schedstat import Thread, threads

TICK_S = 0.1

Life = Callable[[float], Thread | None]
"""A thread at a time, seconds; None: the kernel does not tell."""


def asleep(at_s: float) -> Thread:
    return Thread(3.0, 1.0, 500, False)


def unseen(at_s: float) -> None:
    return None


def works(at_s: float) -> Thread:
    return Thread(3.0 + at_s, 1.0, 500, True)


def waits(at_s: float) -> Thread:
    """One wait without an end: the kernel has not counted it yet."""
    return Thread(3.0, 1.0, 500, True)


def gets_little(at_s: float) -> Thread:
    """Runs a hundredth, and waits in between; counted as it goes."""
    return Thread(3.0 + 0.01 * at_s, 1.0 + 0.99 * at_s, 500 + int(at_s * 50), True)


def in_turn(at_s: float) -> Thread:
    """Shares its core evenly with a stranger."""
    return Thread(3.0 + 0.5 * at_s, 1.0 + 0.5 * at_s, 500 + int(at_s * 50), True)


def stepwise(at_s: float) -> Thread:
    """A wait of a second ends, and the kernel counts it all at once."""
    rounds = int(at_s + 1e-9)
    return Thread(3.0 + 0.001 * rounds, 1.0 + rounds, 500 + rounds, True)


def silence(lives: tuple[Life, ...], for_s: float, late: float = 1.0) -> float:
    """Seconds of silence after `for_s`, each tick coming `late` times as late as it was meant."""
    patience, now_s = Patience(0.0), 0.0
    while now_s < for_s - 1e-9:
        now_s += TICK_S * late
        now = {tid: thread for tid, life in enumerate(lives) if (thread := life(now_s)) is not None}
        patience.look(now_s, TICK_S, now or None)
    return patience.silent_s


@pytest.mark.parametrize(
    ("lives", "for_s", "silent_s"),
    [
        ((asleep,), 1.2, 1.2),
        ((unseen,), 1.2, 1.2),
        ((waits,), 4.0, 0.1),
        ((gets_little,), 4.0, 0.1195),
        ((stepwise,), 4.0, 0.1),
        ((works,), 4.0, 2.05),
        ((in_turn,), 4.0, 1.075),
        ((works, asleep), 4.0, 2.05),
        ((asleep, gets_little), 4.0, 0.1195),
        ((works, works), 4.0, 2.05),
        ((gets_little, gets_little, gets_little, gets_little), 4.0, 0.1195),
        ((waits,), 20.0, 20.0 - FORGIVEN_MOST_S),
        ((works,), 20.0, 20.0 - FORGIVEN_MOST_S),
        ((works, waits, waits, waits), 20.0, 20.0 - FORGIVEN_MOST_S),
    ],
)
def test_silence(lives: tuple[Life, ...], for_s: float, silent_s: float) -> None:
    assert silence(lives, for_s) == pytest.approx(silent_s, abs=0.01)


def test_the_lookers_own_lateness_is_nobodys_silence() -> None:
    assert silence((asleep,), 12.0, late=10.0) == pytest.approx(1.2)
    assert silence((unseen,), 12.0, late=10.0) == pytest.approx(1.2)


def test_a_child_that_hungered_and_then_stopped_is_silent_from_then() -> None:
    patience = Patience(0.0)
    for step in range(1, 31):
        at_s = TICK_S * step
        patience.look(at_s, TICK_S, {1: waits(at_s) if step <= 20 else asleep(at_s)})
    assert patience.silent_s == pytest.approx(1.0, abs=0.25)


def test_a_thread_that_was_seen_only_once_counts_no_life_before() -> None:
    patience = Patience(0.0)
    patience.look(0.1, TICK_S, {1: Thread(1000.0, 1000.0, 9, False)})
    patience.look(0.2, TICK_S, {1: Thread(1000.0, 1000.0, 9, False), 2: Thread(0.05, 0.05, 2, False)})
    assert patience.silent_s == pytest.approx(0.1 + 0.1 * 0.25)


def test_the_kernel_counts_this_process() -> None:
    before = threads(os.getpid())
    if before is None:
        pytest.skip("this kernel does not count waiting for a CPU")
    until_s = time.thread_time() + 0.05
    while time.thread_time() < until_s:
        pass
    after = threads(os.getpid())
    assert after is not None
    me = os.getpid()
    assert after[me].ran_s - before[me].ran_s > 0.03
    assert after[me].runnable


@pytest.mark.parametrize(
    ("counts", "stat", "known"),
    [
        ("5000000000 7000000000 12\n", "7 (a) b) R (x) S 1 2", Thread(5.0, 7.0, 12, False)),
        ("1 2 3\n", "7 (python) R 1 2", Thread(1e-9, 2e-9, 3, True)),
        ("1 2 3\n", "7 (python) T 1 2", Thread(1e-9, 2e-9, 3, False)),
        ("0 0 0\n", "7 (python) S 1 2", None),
        ("", "7 (python) S 1 2", None),
        ("nonsense\n", "7 (python) S 1 2", None),
    ],
)
def test_what_the_files_say(tmp_path: Path, counts: str, stat: str, known: Thread | None) -> None:
    folder = tmp_path / "7" / "task" / "7"
    folder.mkdir(parents=True)
    (folder / "schedstat").write_text(counts)
    (folder / "stat").write_text(stat)
    assert schedstat.threads(7, tmp_path) == (None if known is None else {7: known})


def test_who_is_gone_is_not_known(tmp_path: Path) -> None:
    assert threads(7, tmp_path) is None


@pytest.fixture
def sleeper() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.DEVNULL)
    yield process.pid
    process.kill()
    process.wait()


async def test_a_word_that_came_while_the_watcher_was_held_up_is_heard(sleeper: int) -> None:
    word: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.65, word.set_result, None)
    asyncio.get_running_loop().call_later(0.05, time.sleep, 0.6)
    assert await LivenessProbe(sleeper).outlast(word, 0.3)


async def test_who_says_nothing_and_sleeps_is_given_up(sleeper: int) -> None:
    word: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert not await LivenessProbe(sleeper).outlast(word, 0.3)
    assert not word.done()
