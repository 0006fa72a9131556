"""In: the collected tests. Out: those that play in real time may be played again, as a busy machine makes them late.

On a starved machine (other guests of its host take its cores) they say nothing, so they are skipped, each with that reason;
so are the tests that begin after PATIENCE_S there, and every test may be played once again. `APPLIANCE_TESTS=all` plays
them all the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

hypothesis_settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile(
    "steady"
)  # how long an example takes says more about the machine than about the program

REAL_TIME = ("scenarios", "contract")
"""Folders whose tests run real programs against the clock; a unit test has no such excuse."""
AGAIN = 2
ROUNDS = 400_000
CALM_S = 0.05
"""What so many rounds of the loop below take of wall time on the development machine when it is calm: 0.03 s."""
STARVED = 2.0
"""From so many times CALM_S on, in most of the looks, turns cannot keep their deadlines."""
LOOKS = 9
PATIENCE_S = 1500.0
"""On a starved machine no test begins later than this after the first: whoever waits for the whole has a limit, too."""


@cache
def slowness() -> float:
    """How many times slower than calm the machine is now: the median of a few looks, about two seconds in all."""
    looks = []
    for _ in range(LOOKS):
        begun_s, total = time.perf_counter(), 0
        for number in range(ROUNDS):
            total += number * number
        looks.append(time.perf_counter() - begun_s)
        time.sleep(0.05)
    return sorted(looks)[LOOKS // 2] / CALM_S


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """No test leaves its variables (a virtual card's HOME, say) to the next."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def starved() -> bool:
    """Whether the machine is too slow for real time, and nobody asked for all tests all the same."""
    return os.environ.get("APPLIANCE_TESTS") != "all" and slowness() >= STARVED


_begun_s: list[float] = []
"""When the first test began, by the monotonic clock."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not _begun_s:
        _begun_s.append(time.monotonic())
    if time.monotonic() - _begun_s[0] > PATIENCE_S and starved():
        pytest.skip(
            f"starved machine: {slowness():.0f} times slower than calm, and {PATIENCE_S / 60:.0f} minutes are over"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    real_time = [item for item in items if Path(item.path).parent.name in REAL_TIME]
    skipped = bool(items) and starved()
    if skipped:
        for item in items:  # threads and programs of unit tests have deadlines, too
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=1))
    for item in real_time:
        if not skipped:
            item.add_marker(pytest.mark.flaky(reruns=AGAIN, reruns_delay=1))
        else:
            reason = f"starved machine: {slowness():.0f} times slower than calm; real time cannot be judged on it"
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    again = terminalreporter.stats.get("rerun", [])
    for report in again:
        terminalreporter.write_line(f"played again: {report.nodeid}")
