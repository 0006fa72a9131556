"""In: replies one after another, each by a path of another length, and people. Out: only people are heard as wake words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance import catalogue
from appliance.engines.recordings import load
from appliance.engines.sound.echo.canceller import FRAME, Echo
from appliance.engines.sound.pcm import RATE_HZ, Samples
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.vad import EnergyVad
from appliance.engines.sound.wake import open_engine
from appliance.settings import Settings
from appliance.settings.sound import SoundSettings, WakeSettings
from appliance.wire.message import Message
from appliance.wire.sound import STOP_WORD, Detection, NearWake
from tests.shared import AUDIO, MODELS, needs_shared

pytestmark = needs_shared
LOUD, HEARD = 0.18, 0.5
"""The reply's volume, and the share of it that comes back: 6 dB less."""
REPLIES = 20


class Room:
    """A card, a room and a clock, as the sound engine joins them."""

    def __init__(self) -> None:
        models = Settings().models.model_copy(update={"mirror": MODELS})
        wake = WakeSettings()
        found = catalogue.resolve(Settings(models=models)).wake
        self.now_s, self.happened = 0.0, list[Message]()
        self.echo = Echo(clock=lambda: self.now_s)
        self.echo.prepare().join()
        self.ear = SoundPipeline(
            SoundSettings(source="feed"), wake, open_engine(wake, found), EnergyVad(), self.happened.append
        )
        self.ear.person = self.echo.person

    def reply(self, voice: Samples, path: int, said: NDArray[Any] | None = None) -> list[str]:
        """Words detected while `voice` sounds, its echo `path` samples late, and somebody says `said` 0.8 s later."""
        played = np.rint(voice * LOUD).astype(np.int16)
        heard = np.zeros(len(played) + RATE_HZ)
        heard[path : path + len(played)] += played * HEARD
        if said is not None:
            heard[RATE_HZ * 4 // 5 :][: len(said)] += said[: len(heard) - RATE_HZ * 4 // 5]
        self.echo.begin()
        self.ear.speaking, begun = True, len(self.happened)
        for at in range(0, len(heard) // FRAME * FRAME, FRAME):
            if at < len(played):
                self.echo.played(played[at : at + FRAME])
            self.now_s += FRAME / RATE_HZ
            self.ear.take(self.echo.remove(np.rint(heard[at : at + FRAME]).astype(np.int16)), 0)
        return [message.name for message in self.happened[begun:] if isinstance(message, Detection)]


def test_replies_by_ever_other_paths_wake_nothing_and_a_person_over_one_does() -> None:
    chance, room = np.random.default_rng(2), Room()
    replies = [load(file) for file in sorted((AUDIO / "commands/local").glob("*.flac"))[:REPLIES]]
    paths = [int(chance.integers(640, 832)) for _ in replies]
    assert [room.reply(voice, path) for voice, path in zip(replies, paths, strict=True)] == [[]] * len(replies)
    refused = [near for near in room.happened if isinstance(near, NearWake) and near.name == STOP_WORD]
    assert any(near.score > 0.55 for near in refused), "the canceller alone lets words through: their cutoff is 0.52"
    assert room.ear.ducking.begun == 0, "no reply was held"
    word = load(AUDIO / "wake/alexa/1.flac")
    person = word * (0.1 * 32768 / np.abs(word).max())
    long = np.concatenate(replies[:2])
    assert room.reply(long, paths[0], person) == ["alexa"]
