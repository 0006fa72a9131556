"""In: a playback that is held and let go, at a loudspeaker that keeps what sounded. Out: silence, and not a sample lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.sound.pcm import Samples
from appliance.engines.sound.playback.playback import Playback
from appliance.engines.sound.playback.sinks import TimedSink
from appliance.engines.sound.playback.track import Track
from appliance.engines.sound.playback.writing import RISE_S
from appliance.wire.message import Message
from appliance.wire.sound import MOST_HELD_S, Played

RATE_HZ = 16000
BUFFER_S = 0.06


class Loudspeaker(TimedSink):
    """Keeps what it was given and did not drop, and where it was dropped."""

    def __init__(self) -> None:
        super().__init__(1.0, BUFFER_S)
        self.sounded = np.zeros(0, np.int16)
        self.dropped: list[int] = []
        self.at_rest = False
        self._asked_s = 0.0

    def open(self, rate_hz: int) -> None:
        self.at_rest = False
        super().open(rate_hz)

    def write(self, samples: Samples) -> None:
        assert not self.at_rest, "a dropped card is prepared first"
        self.sounded = np.concatenate((self.sounded, samples))
        super().write(samples)

    def pending_s(self) -> float:
        self._asked_s = super().pending_s()
        return self._asked_s

    def drop(self) -> None:
        """Forgets what its last `pending_s` said: only so is the test's arithmetic that of the program."""
        left = len(self.sounded) - round(self._asked_s * RATE_HZ)
        self.sounded = self.sounded[: max(0, left)]
        self.dropped.append(len(self.sounded))
        self.at_rest, self._asked_s = True, 0.0
        super().drop()

    def again(self) -> None:
        self.at_rest = False


@contextmanager
def playing(seconds: float) -> Iterator[tuple[Playback, Loudspeaker, NDArray[Any], threading.Event, list[Message]]]:
    """A track that counts its samples, from 1000 on, at full volume."""
    speaker, ended = Loudspeaker(), threading.Event()
    told: list[Message] = []

    def tell(message: Message) -> None:
        told.append(message)
        if isinstance(message, Played):
            ended.set()

    playback = Playback(lambda: speaker, 0.0, 100)
    playback.run()
    audio = np.arange(1000, 1000 + int(seconds * RATE_HZ)).astype(np.int16)
    playback.start(Track("p", RATE_HZ, "reply", tell))
    playback.add("p", audio)
    playback.complete("p")
    yield playback, speaker, audio, ended, told


def until(done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5.0
    while not done():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


@pytest.mark.parametrize("begin_s", [0.1, 0.9], ids=["while it is written", "while it drains"])
def test_what_was_not_heard_before_the_hold_is_heard_behind_it(begin_s: float) -> None:
    with playing(1.0 if begin_s < 0.5 else 0.95) as (playback, speaker, audio, ended, told):
        until(lambda: len(speaker.sounded) >= begin_s * RATE_HZ)
        playback.hold(True)
        until(lambda: bool(speaker.dropped))
        at = len(speaker.sounded)
        time.sleep(0.1)
        assert len(speaker.sounded) == at, "silence"
        assert not ended.is_set()
        playback.hold(False)
        assert ended.wait(5.0)
    rise = int(RISE_S * RATE_HZ)
    assert len(speaker.sounded) == len(audio), "nothing lost, nothing said twice"
    assert np.array_equal(speaker.sounded[:at], audio[:at])
    assert np.array_equal(speaker.sounded[at + rise :], audio[at + rise :])
    assert speaker.sounded[at] == 0 and np.all(np.diff(speaker.sounded[at : at + rise].astype(int)) > 0), "no click"
    assert isinstance(told[-1], Played) and not told[-1].cancelled and told[-1].error is None


def test_a_held_voice_that_is_cancelled_makes_no_further_sound() -> None:
    with playing(2.0) as (playback, speaker, _, ended, told):
        until(lambda: len(speaker.sounded) >= 1600)
        playback.hold(True)
        until(lambda: bool(speaker.dropped))
        at = len(speaker.sounded)
        playback.cancel()
        assert ended.wait(5.0)
        assert len(speaker.sounded) == at
        assert isinstance(told[-1], Played) and told[-1].cancelled


def test_nobody_holds_a_voice_for_ever() -> None:
    with playing(0.5) as (playback, speaker, audio, ended, told):
        until(lambda: len(speaker.sounded) >= 1600)
        playback.hold(True)  # and whoever would let it go has died
        assert ended.wait(MOST_HELD_S + 2.0)
        assert len(speaker.sounded) == len(audio)
        assert isinstance(told[-1], Played) and told[-1].error is None
        assert len(speaker.dropped) == 1


def test_a_hold_is_no_hold_of_the_next_voice() -> None:
    with playing(2.0) as (playback, speaker, _, ended, _told):
        until(lambda: len(speaker.sounded) >= 1600)
        playback.hold(True)
        until(lambda: bool(speaker.dropped))
        over = threading.Event()
        playback.start(
            Track("q", RATE_HZ, "chime", lambda message: over.set() if isinstance(message, Played) else None)
        )
        playback.add("q", np.full(800, 5000, np.int16))
        playback.complete("q")
        assert ended.wait(5.0) and over.wait(0.8), "it began at once"
        assert speaker.sounded[-1] == 5000
    playback.hold(True)  # of silence
    with playing(0.1) as (_, other, audio, ended, _told):
        assert ended.wait(5.0) and len(other.sounded) == len(audio)
