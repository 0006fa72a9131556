"""In: the real sound child on a virtual card, in real time. Out: what it hears and plays, and that it survives faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

from appliance.settings import load
from appliance.sim.card import VirtualCard, missing
from appliance.sim.lone_child import LoneChild, lone_engine
from appliance.wire.message import Ping, Pong
from appliance.wire.sound import (
    Detection,
    EarChanged,
    Heard,
    Listen,
    ListenStop,
    PlayAudio,
    PlayCancel,
    Played,
    PlayFirst,
    PlayStart,
    PlayStop,
)
from tests.contract.test_sound_feed import Supervisor, is_a, silero, watcher
from tests.shared import AUDIO, needs_shared

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

RATE = 16000
STALL_S = 0.5


@pytest.fixture(scope="module")
def card() -> Iterator[VirtualCard]:
    with VirtualCard() as virtual:
        yield virtual


@pytest.fixture
async def engine(card: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoneChild]:
    for name, value in card.environment.items():
        monkeypatch.setitem(os.environ, name, value)
    settings, _ = load(None, [*card.assignments, f"sound.stall_s={STALL_S}"], {})
    async with lone_engine("sound", settings, silero()) as child:
        yield child


async def hearing(engine: LoneChild) -> Supervisor:
    supervisor = await watcher(engine)
    await supervisor.until(hears, within_s=15)
    return supervisor


def hears(message: object) -> bool:
    return isinstance(message, EarChanged) and message.hearing == "hearing"


def deaf(message: object) -> bool:
    return isinstance(message, EarChanged) and message.hearing == "deaf"


async def counters(supervisor: Supervisor) -> dict[str, float]:
    await supervisor.send(Ping("count"))
    pong = await supervisor.until(is_a(Pong))
    assert isinstance(pong, Pong) and pong.counters is not None
    return pong.counters


@needs_shared
async def test_a_word_spoken_in_the_room_wakes_and_the_room_is_heard(card: VirtualCard, engine: LoneChild) -> None:
    supervisor = await hearing(engine)
    speaker = card.speak_in_room(AUDIO / "wake/alexa/1.flac", wait=False)
    detection = await supervisor.until(is_a(Detection), within_s=15)
    assert isinstance(detection, Detection) and detection.name == "alexa"
    await supervisor.send(Listen(detection.timestamp - 500))
    await supervisor.until(lambda m: isinstance(m, Heard) and m.timestamp > detection.timestamp + 200)
    start_ms, heard = supervisor.audio()
    assert start_ms == detection.timestamp - 500
    assert np.abs(heard[: RATE // 2]).max() > 1000  # the word itself, out of the ring buffer
    await supervisor.send(ListenStop())
    speaker.wait(10)
    counted = await counters(supervisor)
    assert min(counted["capture_ms"], counted["front_end_ms"], counted["wake_cpu_s"]) > 0, "measured, not assumed"


async def test_a_reply_is_heard_and_a_cancel_silences_it(card: VirtualCard, engine: LoneChild) -> None:
    supervisor = await hearing(engine)
    tone = (20000 * np.sin(np.arange(22050 * 3) / 10)).astype(np.int16)
    recorder = await asyncio.to_thread(card.record_speaker)
    await supervisor.send(PlayStart("p", 22050), PlayAudio("p", tone[:11025].tobytes()), PlayStop("p"))
    played = await supervisor.until(is_a(Played))
    assert isinstance(played, Played) and played.error is None and supervisor.of(PlayFirst)
    await asyncio.sleep(0.3)
    first = recorder.samples()
    assert np.count_nonzero(np.abs(first) > 500) / 16000 == pytest.approx(0.45, abs=0.1)
    await supervisor.send(PlayStart("q", 22050), PlayAudio("q", tone.tobytes()), PlayStop("q"))
    await asyncio.sleep(0.5)
    await supervisor.send(PlayCancel())
    cancelled = await supervisor.until(lambda m: isinstance(m, Played) and m.play == "q")
    await asyncio.sleep(0.3)
    second = (await asyncio.to_thread(recorder.stop))[len(first) :]
    assert isinstance(cancelled, Played) and cancelled.cancelled
    assert 0.2 < np.count_nonzero(np.abs(second) > 500) / 16000 < 1.0


async def test_a_stopped_sound_server_makes_deaf_and_its_stale_audio_is_dropped(
    card: VirtualCard, engine: LoneChild
) -> None:
    supervisor = await hearing(engine)
    card.server.stop()
    try:
        told = await supervisor.until(deaf, within_s=STALL_S + 1.0)
        assert isinstance(told, EarChanged) and told.reason
        await supervisor.send(PlayStart("p", 16000), PlayAudio("p", b"\x00\x40" * 1600), PlayStop("p"))
        played = await supervisor.until(is_a(Played), within_s=2.0)
        assert isinstance(played, Played) and played.error
        assert (await counters(supervisor))["frame_age_ms"] > STALL_S * 1000
    finally:
        card.server.go_on()
    await supervisor.until(hears, within_s=5.0)
    assert (await counters(supervisor))["stale_ms"] > 300


async def test_a_dead_sound_server_makes_deaf_and_its_return_is_heard(card: VirtualCard, engine: LoneChild) -> None:
    supervisor = await hearing(engine)
    card.server.kill()
    try:
        told = await supervisor.until(deaf, within_s=STALL_S + 1.0)
        assert isinstance(told, EarChanged) and told.reason and "mic" in told.reason
    finally:
        await asyncio.to_thread(card.server.start)
    await supervisor.until(hears, within_s=10.0)
    assert (await counters(supervisor))["reopens"] >= 1


async def test_a_missing_card_is_named_and_the_child_lives(card: VirtualCard) -> None:
    settings, _ = load(None, ["sound.capture=no_such_microphone", "sound.playback=no_such_speaker"], {})
    async with lone_engine("sound", settings, silero()) as child:
        supervisor = await watcher(child)
        told = await supervisor.until(lambda m: isinstance(m, EarChanged) and "no_such_microphone" in str(m.reason))
        assert isinstance(told, EarChanged) and told.hearing == "deaf"
        await supervisor.send(PlayStart("p", 16000), PlayAudio("p", b"\x00\x40" * 1600), PlayStop("p"))
        played = await supervisor.until(is_a(Played))
        assert isinstance(played, Played) and "no_such_speaker" in str(played.error)
        assert (await counters(supervisor))["frames"] == 0
