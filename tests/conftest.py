"""In: the collected tests. Out: those that play in real time may be played again, as a busy machine makes them late."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REAL_TIME = ("scenarios", "contract")
"""Folders whose tests run real programs against the clock; a unit test has no such excuse."""
AGAIN = 2


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """No test leaves its variables (a virtual card's HOME, say) to the next."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent.name in REAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=AGAIN, reruns_delay=1))
