""" "Hearing" is proved at every look, and a sound engine that stays deaf is replaced once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np

from appliance.conversation.clients.sound import SoundClient
from appliance.conversation.clients.wake_progress import STILL_SAMPLES, WakeProgress
from appliance.engines.sound.capture.hearing import ZEROS_S, HearingMonitor
from appliance.engines.sound.engine import watch_died
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.vad import EnergyVad
from appliance.errors import EngineError
from appliance.events import Bus, Hearing, HearingChanged
from appliance.settings.sound import SoundSettings, WakeSettings
from appliance.settings.supervision import SupervisorSettings
from appliance.supervisor.hearing_repair import DEAF_S, PROVEN_S, HearingRepair
from appliance.wire.message import Ping, Pong
from appliance.wire.sound import EarChanged, Heard
from tests.clock import instant, settle
from tests.fakes import FakeConnection


def counters(frames: int, inferences: int, words: int = 1) -> dict[str, float]:
    return {"frames": float(frames), "wake_inferences": float(inferences), "wake_words": float(words)}


def test_wake_inferences_that_stand_still_are_noticed() -> None:
    progress = WakeProgress()
    assert progress.look(counters(16000, 50), False) is None
    assert progress.look(counters(16000 + STILL_SAMPLES - 1, 50), False) is None
    assert progress.look(counters(16000 + STILL_SAMPLES, 50), False) is not None
    assert progress.look(counters(20000 + STILL_SAMPLES, 51), False) is None, "it goes on"


def test_muted_without_wake_words_and_without_frames_is_no_standstill() -> None:
    for muted, words in ((True, 1), (False, 0)):
        progress = WakeProgress()
        for n in range(4):
            assert progress.look(counters(n * STILL_SAMPLES, 50, words), muted) is None
    progress = WakeProgress()
    for _ in range(1000):
        assert progress.look(counters(16000, 50), False) is None
    assert progress.look(counters(0, 50), False) is None, "another engine counts anew"
    assert progress.look(counters(16000, 50), False) is None


@instant
async def test_the_engines_own_word_does_not_count_while_its_wake_words_stand_still() -> None:
    frames, inferences = 0, 0

    def answer(connection: FakeConnection, event: object) -> None:
        if Ping.matches(event):  # type: ignore[arg-type]
            connection.say(Pong(counters=counters(frames, inferences)))

    bus = Bus()
    told = bus.subscribe("test")
    client = SoundClient(SupervisorSettings(), bus)
    connection = FakeConnection(answer)
    session = asyncio.create_task(client.session(connection))  # type: ignore[arg-type]
    connection.say(EarChanged(Hearing.HEARING))
    await settle()
    assert client.hearing is Hearing.HEARING
    frames, inferences = 16000, 1
    await asyncio.sleep(1.0)
    frames += STILL_SAMPLES
    await asyncio.sleep(1.0)
    assert client.hearing is Hearing.DEAF and client.deaf_reason == "The wake engine stands still."
    inferences += 1
    await asyncio.sleep(1.0)
    assert client.hearing is Hearing.HEARING
    connection.say(EngineError("closed", "It died."))
    await asyncio.gather(session, return_exceptions=True)
    assert [event.hearing for event in told.waiting() if isinstance(event, HearingChanged)] == [
        Hearing.HEARING, Hearing.DEAF, Hearing.HEARING, Hearing.DEAF, Hearing.DEAF,
    ]  # fmt: skip


@dataclass
class Device:
    """Ear and child in one."""

    hearing: Hearing = Hearing.HEARING
    deaf_reason: str | None = "The microphone gives no audio."
    ready: bool = True
    suspected: list[EngineError] = field(default_factory=list)

    def suspect(self, error: EngineError) -> None:
        self.suspected.append(error)


def after(repair: HearingRepair, begin_s: float, seconds: float) -> float:
    """Looks once a second; the time then."""
    for second in range(int(seconds) + 1):
        repair.look(begin_s + second)
    return begin_s + int(seconds) + 1


def test_a_deaf_engine_is_replaced_once_and_again_only_after_it_heard_for_long() -> None:
    device = Device()
    repair = HearingRepair(device, device)
    now_s = after(repair, 0.0, 100.0)
    assert device.suspected == []
    device.hearing = Hearing.DEAF
    now_s = after(repair, now_s, DEAF_S - 1)
    assert device.suspected == []
    now_s = after(repair, now_s, 1000.0)
    assert [error.code for error in device.suspected] == ["deaf"] and "no audio" in device.suspected[0].message
    assert repair.table() == {"restarts": 1, "exhausted": True}
    device.hearing = Hearing.HEARING
    now_s = after(repair, now_s, PROVEN_S - 2)
    device.hearing = Hearing.DEAF
    now_s = after(repair, now_s, 100.0)
    assert repair.restarts == 1, "it heard too briefly to earn another try"
    device.hearing = Hearing.MUTED
    now_s = after(repair, now_s, PROVEN_S + 1)
    device.hearing = Hearing.DEAF
    after(repair, now_s, DEAF_S + 1)
    assert repair.restarts == 2


def test_an_engine_that_is_being_started_is_left_alone() -> None:
    device = Device(hearing=Hearing.DEAF, ready=False)
    repair = HearingRepair(device, device)
    now_s = after(repair, 0.0, 100.0)
    device.ready = True
    after(repair, now_s, DEAF_S - 1)
    assert device.suspected == []


class _Card:
    """A source that gives what it is told."""

    problem: str | None = None
    paced = True
    noisy = True


def _ear() -> tuple[SoundPipeline, list[object]]:
    sent: list[object] = []
    settings = WakeSettings()
    return SoundPipeline(SoundSettings(source="feed"), settings, None, EnergyVad(), sent.append), sent


def test_nothing_but_zeros_is_deaf() -> None:
    ear, _ = _ear()
    card = _Card()
    monitor = HearingMonitor(card, ear, 1.0)  # type: ignore[arg-type]
    noise = np.ones(1600, dtype=np.int16)
    ear.take(noise, time.monotonic_ns())
    monitor.look()
    assert monitor.state.hearing == Hearing.HEARING
    for _ in range(int(ZEROS_S * 10)):
        ear.take(np.zeros(1600, dtype=np.int16), time.monotonic_ns())
    monitor.look()
    assert monitor.state.hearing == Hearing.DEAF and "zeros" in (monitor.state.reason or "")
    card.noisy = False
    monitor.look()
    assert monitor.state.hearing == Hearing.HEARING, "a recording may be silent"
    card.noisy = True
    ear.take(noise, time.monotonic_ns())
    monitor.look()
    assert monitor.state.hearing == Hearing.HEARING


def test_a_muted_microphone_gives_no_sample() -> None:
    ear, sent = _ear()
    ear.mute(True)
    ear.listen(0)
    for _ in range(20):
        ear.take(np.full(1600, 1000, dtype=np.int16), time.monotonic_ns())
    assert sent == [] and ear.position == 32000, "the time line goes on"
    ear.mute(False)
    ear.take(np.full(1600, 1000, dtype=np.int16), time.monotonic_ns())
    heard = [message for message in sent if isinstance(message, Heard)]
    assert heard and heard[0].timestamp >= 2000, "what was said while it was muted is gone"


@instant
async def test_a_watch_that_dies_in_the_engine_ends_the_engine() -> None:
    left: list[int] = []

    async def dies() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(dies())
    await asyncio.gather(task, return_exceptions=True)
    watch_died(task, left.append)
    assert left == [1]
    task = asyncio.create_task(asyncio.sleep(3600))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    watch_died(task, left.append)
    assert left == [1]
