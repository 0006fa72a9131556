"""In: recordings fed to the real sound child. Out: what it heard, when, and that nothing was lost or leaked."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from wyoming.event import Event

from appliance.engines.recordings import load as load_audio
from appliance.errors import EngineError
from appliance.settings import load
from appliance.sim.lone_child import LoneChild, lone_engine
from appliance.wire.child import ModelFile, Models
from appliance.wire.frame import Connection
from appliance.wire.message import Describe, Message, Ping, Pong
from appliance.wire.sound import (
    Detection,
    EarChanged,
    Fed,
    Feed,
    Heard,
    Listen,
    ListenStop,
    Mute,
    PlayAudio,
    PlayCancel,
    Played,
    PlayFirst,
    PlayPosition,
    PlayStart,
    PlayStop,
)
from tests.shared import AUDIO, MODELS, needs_shared

RATE = 16000
KINDS = (Detection, EarChanged, Fed, Heard, Pong, PlayFirst, PlayPosition, Played)


def read(path: str) -> np.ndarray:
    return load_audio(AUDIO / path)


def spoken(path: str, first: bool = True, last: bool = True) -> np.ndarray:
    """A recording without the quiet behind the speech (`last`) and before it (`first`), 25 dB below its loudest frame."""
    samples = read(path)
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    energy = (frames**2).mean(axis=1)
    loud = np.flatnonzero(energy > energy.max() / 300)
    start = max(0, int(loud[0]) - 1) * 160 if first else 0
    return samples[start : (int(loud[-1]) + 1) * 160 if last else len(samples)]


def silero() -> Models:
    file = MODELS / "silero-vad" / "silero_vad.onnx"
    if not file.exists():
        return Models()
    return Models(vad=ModelFile(name="silero-vad", kind="silero", language="und", files={"model": file}, sha256={}))


class Supervisor:
    """One connection with hands: sends, and collects what comes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.seen: list[Message] = []

    async def send(self, *messages: Message) -> None:
        for message in messages:
            await self.connection.send(message.event())

    async def until(self, done: Callable[[Message], bool], within_s: float = 10.0) -> Message:
        async with asyncio.timeout(within_s):
            while True:
                event = await self.connection.receive()
                kind = next((kind for kind in KINDS if kind.matches(event)), None)
                if kind is None:
                    continue
                message = kind.from_event(event)
                self.seen.append(message)
                if done(message):
                    return message

    def of(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.seen if isinstance(message, kind)]

    def audio(self) -> tuple[int, np.ndarray]:
        """Position in ms and samples of all that was heard; fails on a gap."""
        blocks = [message for message in self.seen if isinstance(message, Heard)]
        for one, two in itertools.pairwise(blocks):
            assert two.timestamp == one.timestamp + len(one.audio) // 32
        return blocks[0].timestamp, np.concatenate([np.frombuffer(block.audio, np.int16) for block in blocks])


def is_a(kind: type[Message]) -> Callable[[Message], bool]:
    return lambda message: isinstance(message, kind)


async def child(speed: float, *more: str) -> AsyncIterator[LoneChild]:
    settings, _ = load(None, ["sound.source=feed", f"sound.feed_speed={speed}", *more], {})
    async with lone_engine("sound", settings, silero()) as engine:
        yield engine


@pytest.fixture
async def fast() -> AsyncIterator[LoneChild]:
    async for engine in child(0):
        yield engine


@pytest.fixture
async def live() -> AsyncIterator[LoneChild]:
    async for engine in child(1):
        yield engine


async def watcher(engine: LoneChild) -> Supervisor:
    supervisor = Supervisor(await engine.connect())
    await supervisor.send(Describe())
    return supervisor


@needs_shared
@pytest.mark.parametrize("word", ["alexa/1.flac", "alexa/10.flac", "alexa/101.flac"])
async def test_what_follows_the_wake_word_without_a_pause_is_all_there(fast: LoneChild, word: str) -> None:
    before, command = spoken(f"wake/{word}", first=False), spoken("commands/coffee/" + _first("commands/coffee"))
    supervisor = await watcher(fast)
    await supervisor.send(Feed("joined", audio=np.concatenate((before, command)).tobytes()))
    detection = await supervisor.until(is_a(Detection))
    assert isinstance(detection, Detection)
    assert detection.timestamp * 16 <= len(before) + 160
    await supervisor.send(Listen(detection.timestamp))
    end_ms = (len(before) + len(command)) // 16
    await supervisor.until(lambda m: isinstance(m, Heard) and m.timestamp > end_ms + 300)
    start_ms, heard = supervisor.audio()
    at = len(before) - start_ms * 16
    assert np.array_equal(heard[max(at, 0) : at + len(command)], command[max(-at, 0) :])
    speech = [m.speech for m in supervisor.of(Heard) if isinstance(m, Heard)]
    assert max(speech) > 0.7 > 0.4 > speech[-1]


@needs_shared
async def test_no_audio_leaves_without_listen(fast: LoneChild) -> None:
    supervisor = await watcher(fast)
    await supervisor.send(Feed("talk", audio=read("wake/jarvis/" + _first("wake/jarvis")).tobytes()))
    await supervisor.until(lambda m: isinstance(m, Fed) and m.done)
    await supervisor.send(Ping("end"))
    await supervisor.until(is_a(Pong))
    assert not supervisor.of(Heard)


def _first(folder: str) -> str:
    return sorted(file.name for file in (AUDIO / folder).glob("*.flac"))[0]


@needs_shared
async def test_muted_nothing_is_heard_and_nothing_is_kept(fast: LoneChild) -> None:
    supervisor = await watcher(fast)
    word = read("wake/alexa/1.flac")
    await supervisor.send(Mute(True))
    await supervisor.until(lambda m: isinstance(m, EarChanged) and m.hearing == "muted")
    await supervisor.send(Feed("secret", audio=word.tobytes()))
    done = await supervisor.until(lambda m: isinstance(m, Fed) and m.done)
    await supervisor.send(Mute(False), Listen(0), Feed("open", audio=np.full(RATE, 7, np.int16).tobytes()))
    await supervisor.until(lambda m: isinstance(m, Fed) and m.name == "open" and m.done)
    await supervisor.until(is_a(Heard))
    start_ms, heard = supervisor.audio()
    assert isinstance(done, Fed) and start_ms >= done.timestamp
    assert np.abs(heard).max() <= 7 and not supervisor.of(Detection)


async def test_a_held_recording_begins_with_the_listen(fast: LoneChild) -> None:
    supervisor = await watcher(fast)
    ramp = np.arange(2 * RATE, dtype=np.int16)
    await supervisor.send(Feed("held", hold=True, audio=ramp.tobytes()))
    await asyncio.sleep(0.1)
    await supervisor.send(Listen())
    await supervisor.until(lambda m: isinstance(m, Heard) and m.timestamp > 2200)
    _, heard = supervisor.audio()
    assert np.array_equal(heard[: len(ramp)], ramp)


async def test_real_time_is_kept_and_the_room_is_nearly_silent(live: LoneChild) -> None:
    supervisor = await watcher(live)
    await supervisor.send(Listen())
    first = await supervisor.until(is_a(Heard))
    last = await supervisor.until(lambda m: isinstance(m, Heard) and m.timestamp - first.timestamp >= 960)  # type: ignore[attr-defined]
    assert isinstance(first, Heard) and isinstance(last, Heard)
    assert (last.mono_ns - first.mono_ns) / 1e6 == pytest.approx(last.timestamp - first.timestamp, abs=1.0)
    _, heard = supervisor.audio()
    assert 0 < np.abs(heard).max() <= 1


async def test_playback_says_when_it_is_first_audible_and_when_it_has_drained(live: LoneChild) -> None:
    supervisor = await watcher(live)
    quiet, tone = np.zeros(2205, np.int16), (8000 * np.sin(np.arange(11025) / 10)).astype(np.int16)
    started_ns = time.monotonic_ns()
    await supervisor.send(PlayStart("p", 22050), PlayAudio("p", np.concatenate((quiet, tone)).tobytes()), PlayStop("p"))
    played = await supervisor.until(is_a(Played))
    (first,) = supervisor.of(PlayFirst)
    assert isinstance(played, Played) and isinstance(first, PlayFirst)
    assert played.error is None and not played.cancelled
    assert (first.mono_ns - started_ns) / 1e9 >= 0.1
    assert (played.mono_ns - first.mono_ns) / 1e9 == pytest.approx(0.5, abs=0.15)
    assert supervisor.of(PlayPosition)


async def test_a_cancelled_playback_ends_and_the_next_one_plays(live: LoneChild) -> None:
    supervisor = await watcher(live)
    await supervisor.send(PlayStart("long", 16000), PlayAudio("long", np.full(RATE * 5, 9000, np.int16).tobytes()))
    await supervisor.until(is_a(PlayFirst))
    await supervisor.send(PlayCancel())
    cancelled = await supervisor.until(is_a(Played), within_s=2)
    await supervisor.send(PlayStart("next", 16000), PlayAudio("next", np.full(160, 9000, np.int16).tobytes()))
    await supervisor.send(PlayStop("next"))
    after = await supervisor.until(is_a(Played), within_s=2)
    assert isinstance(cancelled, Played) and cancelled.cancelled and cancelled.play == "long"
    assert isinstance(after, Played) and not after.cancelled and after.play == "next"


async def test_a_new_playback_ends_the_one_before(live: LoneChild) -> None:
    supervisor = await watcher(live)
    await supervisor.send(PlayStart("one", 16000), PlayAudio("one", np.full(RATE * 5, 9000, np.int16).tobytes()))
    await supervisor.until(is_a(PlayFirst))
    await supervisor.send(PlayStart("two", 16000), PlayAudio("two", np.full(800, 9000, np.int16).tobytes()))
    await supervisor.send(PlayStop("two"))
    await supervisor.until(lambda m: isinstance(m, Played) and m.play == "two", within_s=3)
    ends = {m.play: m.cancelled for m in supervisor.of(Played) if isinstance(m, Played)}
    assert ends == {"one": True, "two": False}


async def test_listening_ends_with_its_connection(live: LoneChild) -> None:
    first = await watcher(live)
    await first.send(Listen())
    await first.until(is_a(Heard))
    await first.connection.close()
    second = await watcher(live)
    await second.send(Ping("a"))
    await second.until(is_a(Pong))
    await asyncio.sleep(0.1)
    await second.send(ListenStop(), Ping("b"))
    await second.until(lambda m: isinstance(m, Pong) and m.text == "b")
    assert not second.of(Heard)


@pytest.mark.parametrize("speed", ["fast", "live"])
async def test_what_is_left_of_a_recording_ends_with_its_connection(
    speed: str, fast: LoneChild, live: LoneChild
) -> None:
    """Otherwise the rest of one recording is heard in the next one's turn."""
    engine = {"fast": fast, "live": live}[speed]
    first, second = await watcher(engine), await watcher(engine)
    await first.send(Feed("loud", hold=True, audio=np.full(8 * RATE, 5000, np.int16).tobytes()))
    await first.send(Feed("waits", hold=True, audio=np.full(8 * RATE, 6000, np.int16).tobytes()))
    await second.send(Listen())
    await second.until(is_a(Heard))
    await first.connection.close()
    await second.until(lambda m: isinstance(m, Heard) and np.abs(np.frombuffer(m.audio, np.int16)).max() <= 1, 5.0)
    quiet_from = len(second.of(Heard)) - 1
    await second.until(lambda m: len(second.of(Heard)) - quiet_from > 30)
    _, heard = second.audio()
    assert heard.max() == 5000 and np.abs(heard[-30 * 512 :]).max() <= 1


async def test_garbage_ends_only_its_own_connection(live: LoneChild) -> None:
    bad, good = await watcher(live), await watcher(live)
    await bad.connection.send(Event("volume", {"percent": "loud"}))
    with pytest.raises(EngineError):
        await bad.until(lambda _: False, within_s=2)
    await good.send(Ping("still here"))
    pong = await good.until(is_a(Pong))
    assert isinstance(pong, Pong) and pong.counters and pong.counters["frame_age_ms"] < 1000
