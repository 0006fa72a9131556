"""In: noise played into a room, on a clock of the test's own. Out: what of it is left in the microphone, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.sound.echo.canceller import FRAME, LAG, Echo
from appliance.engines.sound.pcm import RATE_HZ, level_dbfs

PATH_SAMPLES = 200
"""From the loudspeaker to the microphone."""


class Room:
    """A card, a room and a clock; every sample of the capture is counted."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.echo = Echo(clock=lambda: self.now_s)
        self.echo.prepare().join()
        assert self.echo.ready
        self._sounding: NDArray[Any] = np.zeros(PATH_SAMPLES, np.int16)
        self.heard: list[NDArray[Any]] = []
        self.left: list[NDArray[Any]] = []

    def frame(self, played: NDArray[Any] | None, said: NDArray[Any] | None = None) -> None:
        if played is not None:
            self.echo.played(played)
        sound = np.zeros(FRAME, np.int16) if played is None else played // 4
        self._sounding = np.concatenate((self._sounding, sound))
        heard, self._sounding = self._sounding[:FRAME], self._sounding[FRAME:]
        heard = heard if said is None else heard + said
        self.now_s += FRAME / RATE_HZ
        self.heard.append(heard.astype(np.int16))
        self.left.append(self.echo.remove(heard.astype(np.int16)))


@pytest.fixture
def noise() -> NDArray[Any]:
    """Four seconds whose loudness moves as speech does."""
    rng = np.random.default_rng(3)
    loud = np.repeat(rng.uniform(0.1, 1.0, 40), RATE_HZ // 10)
    return (rng.normal(0, 3000, len(loud)) * loud).clip(-32768, 32767).astype(np.int16)


def test_what_is_played_is_removed_and_what_is_said_is_not(noise: NDArray[Any]) -> None:
    room = Room()
    room.frame(None)
    for at in range(0, len(noise), FRAME):
        room.frame(noise[at : at + FRAME])
    settled = len(room.heard) // 2
    before, after = np.concatenate(room.heard[settled:]), np.concatenate(room.left[settled:])
    assert level_dbfs(after) < level_dbfs(before) - 20.0
    room.echo.begin()
    tone = (3000 * np.sin(np.arange(FRAME) * 2 * np.pi * 500 / RATE_HZ)).astype(np.int16)
    for _ in range(30):
        room.frame(None, tone)
    assert level_dbfs(np.concatenate(room.left[-10:])) == pytest.approx(level_dbfs(tone), abs=1.5)


def test_idle_nothing_is_changed_and_at_work_no_sample_is_lost(noise: NDArray[Any]) -> None:
    room = Room()
    for at in range(0, 50 * FRAME, FRAME):
        room.frame(None, noise[at : at + FRAME])
    assert np.array_equal(np.concatenate(room.left), np.concatenate(room.heard))
    for at in range(0, 50 * FRAME, FRAME):
        room.frame(noise[at : at + FRAME])
    assert room.echo.at_work
    assert sum(map(len, room.left)) == sum(map(len, room.heard)) - LAG
    for _ in range(60):
        room.frame(None)
    assert not room.echo.at_work
    assert sum(map(len, room.left)) == sum(map(len, room.heard))


def test_a_microphone_that_stands_still_bounds_the_queue(noise: NDArray[Any]) -> None:
    room = Room()
    room.frame(None)
    for at in range(0, len(noise), FRAME):
        room.echo.played(noise[at : at + FRAME])
    assert room.echo.dropped_ms == pytest.approx(len(noise) / 16 - 1500)
    room.echo.interrupted()
    assert not room.echo.at_work
