"""In: settings and models. Out: the real program in a virtual room that hears its loudspeaker, and people who speak there."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance import app
from appliance.errors import ApplianceError
from appliance.events import DeviceEvent, Hearing, ReplyStarted, TurnEnded, TurnRecord
from appliance.replay.recording import load
from appliance.settings import Settings
from appliance.sim.card import VirtualCard
from appliance.sim.recorder import RATE_HZ, Samples
from appliance.wire.child import Models

AUDIBLE = 100
"""Of 32768: what is below is no sound."""
FRAME = RATE_HZ // 100
VOICED_DB = 20.0
"""Frames this much below the loudest one are pauses."""
VOICE_DBFS = -26.0
"""Level of people in the room while they speak (ITU-T P.56's usual active level)."""
TIMERS_S = (300, 600, 1200, 2400, 3600)
DEAF_S = 10.0


class Room:
    """The program, and who speaks in its room. Made by `room`."""

    def __init__(self, appliance: app.Appliance, card: VirtualCard) -> None:
        self.appliance, self.card = appliance, card
        self._watch = appliance.bus.subscribe("room", 20000)

    async def until(self, kind: type[DeviceEvent], within_s: float = 20.0) -> DeviceEvent:
        """The next happening of a kind. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            async for event in self._watch:
                if isinstance(event, kind):
                    return event
        raise AssertionError("a watch never ends")

    async def turn(self, within_s: float = 20.0) -> TurnRecord:
        """The record of the next turn that ends. Raises TimeoutError."""
        ended = await self.until(TurnEnded, within_s)
        assert isinstance(ended, TurnEnded)
        return ended.record

    async def quiet(self, within_s: float = 40.0) -> None:
        """Waits until no turn is under way and forgets what happened so far. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            conversation = self.appliance.conversation
            while conversation.busy or conversation.speaking:  # noqa: ASYNC110 - nothing tells of both
                await asyncio.sleep(0.05)
        for _ in self._watch.waiting():
            pass

    async def hears(self, words: Samples) -> None:
        """Someone speaks and is done."""
        await asyncio.to_thread(self.card.speak_in_room, words)

    async def begin_a_long_reply(self) -> None:
        """Some ten seconds of speech, of which one is over."""
        if not self.appliance.agent.timers.all():
            for seconds in TIMERS_S:
                self.appliance.agent.timers.start(seconds)
        self.appliance.conversation.command("what timers are running")
        await self.until(ReplyStarted)
        await asyncio.sleep(1.0)

    def forget_timers(self) -> None:
        """No timer rings into what follows."""
        for timer in self.appliance.agent.timers.all():
            self.appliance.agent.timers.cancel(timer.id)

    async def words(self, text: str) -> Samples:
        """Someone with the device's own voice says `text`; 0.25 s of silence behind it. Raises TtsError, EngineError."""
        saying = self.appliance.voice.say(text)
        await saying.started(5.0)
        spoken = b"".join([piece async for piece in saying.pieces()])
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, np.frombuffer(spoken, np.int16), saying.rate_hz)
            samples = load(Path(file.name)).samples
        return np.concatenate((samples, np.zeros(RATE_HZ // 4, np.int16)))


@asynccontextmanager
async def room(settings: Settings, models: Models, card: VirtualCard) -> AsyncIterator[Room]:
    """The program on `card`, with folders of its own. Raises ApplianceError where it is not ready or deaf."""
    sound = settings.sound.model_copy(update={"source": "alsa", "capture": "mic", "playback": "speaker"})
    settings = settings.model_copy(update={"sound": sound})
    with tempfile.TemporaryDirectory(prefix="appliance-room-") as folder, environment(card.environment):
        async with app.running(app.private_folders(settings, Path(folder)), models) as appliance:
            if not await appliance.wait_ready():
                missing = ", ".join(child.last_failure or child.name for child in appliance.children if not child.ready)
                raise ApplianceError("not-ready", f"Not every engine became ready: {missing}")
            await _hearing(appliance)
            yield Room(appliance, card)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that children inherit, for the length of a block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def _hearing(appliance: app.Appliance) -> None:
    """An idle virtual card takes up to two seconds for its first samples."""
    try:
        async with asyncio.timeout(DEAF_S):
            while appliance.ear.hearing is not Hearing.HEARING:  # noqa: ASYNC110 - it may have changed before
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise ApplianceError("deaf", f"The virtual card gives no sound: {appliance.ear.deaf_reason}") from error


def level_dbfs(samples: Samples) -> float:
    """RMS level of the voiced 10 ms frames, dBFS; -inf for silence."""
    energy = _energy(samples)
    voiced = energy[energy >= energy.max() * 10 ** (-VOICED_DB / 10)]
    return float(10 * np.log10(voiced.mean() / 32768**2)) if voiced.max(initial=0.0) > 0 else -np.inf


def voiced_until(samples: Samples) -> int:
    """Place of the end of the last voiced 10 ms frame: the room behind a single word is often within 34 dB of it."""
    energy = _energy(samples)
    return FRAME * int(np.flatnonzero(energy >= energy.max() * 10 ** (-VOICED_DB / 10))[-1] + 1)


def _energy(samples: Samples) -> NDArray[np.float64]:
    frames = samples[: len(samples) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    return np.asarray((frames**2).mean(axis=1)) if len(frames) else np.zeros(1)


def as_loud(samples: Samples, wanted_dbfs: float = VOICE_DBFS) -> Samples:
    """`samples` at the level `wanted_dbfs` of `level_dbfs`, clipped where a peak does not fit."""
    gain = 10 ** ((wanted_dbfs - level_dbfs(samples)) / 20) if samples.any() else 1.0
    louder: Samples = np.clip(np.rint(samples * gain), -32768, 32767).astype(np.int16)
    return louder


def spoken(samples: Samples, pause_db: float = 34.0) -> Samples:
    """`samples` without what is `pause_db` below their loudest frame around them, but 100 ms before and 50 ms behind."""
    voiced = np.flatnonzero(_energy(samples) >= _energy(samples).max() * 10 ** (-pause_db / 10))
    return samples[max(0, FRAME * int(voiced[0]) - RATE_HZ // 10) : FRAME * int(voiced[-1] + 1) + RATE_HZ // 20]


def find(words: Samples, recorded: Samples) -> int:
    """Where `words` begin in what a room's recorder took: the peak of their cross-correlation."""
    size = 1 << (len(words) + len(recorded) - 1).bit_length()
    spectrum = np.fft.rfft(recorded.astype(np.float64), size) * np.fft.rfft(words.astype(np.float64), size).conj()
    return int(np.argmax(np.fft.irfft(spectrum, size)[: max(1, len(recorded) - len(words) // 2)]))


def last_audible(samples: Samples) -> int | None:
    """Place of the last audible sample; None for silence."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
    return int(loud[-1]) if len(loud) else None
