"""A loudspeaker whose driver hangs costs a bounded number of threads, and is tried again once one comes back."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from appliance.engines.sound.pcm import Samples
from appliance.engines.sound.playback import playback as playback_module
from appliance.engines.sound.playback.playback import HANGS, MOST_HUNG, Playback
from appliance.engines.sound.playback.track import Track
from appliance.wire.message import Message
from appliance.wire.sound import Played


class Hung:
    """A card whose driver does not return before `gate` opens."""

    gate = threading.Event()
    opened = threading.Semaphore(0)
    rate_hz = 16000
    underruns = 0

    def open(self, rate_hz: int) -> None:
        Hung.opened.release()
        Hung.gate.wait(60)

    def write(self, samples: Samples) -> None:
        assert samples.dtype == np.int16

    def pending_s(self) -> float:
        return 0.0

    def drop(self) -> None: ...

    def again(self) -> None: ...

    def close(self) -> None: ...


def test_threads_in_a_driver_that_hangs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback_module, "STUCK_S", 0.0)
    before = threading.active_count()
    told: list[Message] = []
    playback = Playback(Hung, 0.0, 100)
    playback.run()
    for number in range(MOST_HUNG + 3):
        playback.start(Track(str(number), 16000, "reply", told.append))
        if number < MOST_HUNG:
            assert Hung.opened.acquire(timeout=30)
            playback.watch()
        assert isinstance(told[-1], Played) and told[-1].error == HANGS and told[-1].play == str(number)
    assert threading.active_count() - before <= MOST_HUNG + 1 and playback.failures == MOST_HUNG + 3
    Hung.gate.set()
    for thread in threading.enumerate():
        if thread in playback._hung:
            thread.join(30)
    playback.start(Track("again", 16000, "reply", told.append, complete=True))
    assert Hung.opened.acquire(timeout=30), "the card is tried again"
