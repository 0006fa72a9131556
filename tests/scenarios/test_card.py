"""In: people's voices in a virtual room, in real time. Out: replies in that room, whatever happens to a child process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.conversation.context import Trigger
from appliance.events import Outcome, TurnEnded, TurnRecord, TurnStarted
from appliance.replay.recording import RATE_HZ, load
from appliance.settings import load as load_settings
from appliance.sim.card import VirtualCard, missing
from appliance.sim.recorder import Samples
from tests.shared import AUDIO, MODELS, needs_shared

log = logging.getLogger(__name__)

pytestmark = [
    needs_shared,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
    pytest.mark.timeout(240),
]

HEALED_S = 8.0
"""The goal is 3 s; a busy machine is given more, so that only what never heals fails here. The times are logged."""
BLOCK = RATE_HZ // 100
FAULTS = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP, "talks rubbish": signal.SIGUSR1}


def speech(*files: str) -> Samples:
    """Recordings joined with 0.15 s between them."""
    pause = np.zeros(int(0.15 * RATE_HZ), np.int16)
    parts = [part for file in files for part in (_trimmed(load(AUDIO / file).samples), pause)]
    return np.concatenate(parts)


def _trimmed(samples: Samples) -> Samples:
    loud = np.nonzero(np.abs(samples.astype(np.int32)) > np.abs(samples).max() // 50)[0]
    return samples[max(0, loud[0] - 1600) : loud[-1] + 800]


def alexa() -> str:
    """A real wake word, loud enough for a room."""
    return str(sorted((AUDIO / "wake/alexa").iterdir())[1].relative_to(AUDIO))


@asynccontextmanager
async def device(card: VirtualCard, folder: Path) -> AsyncIterator[Appliance]:
    """The real program on the virtual card, with children that can be made to talk rubbish."""
    os.environ.update(card.environment)
    os.environ["PYTHONPATH"] = str(Path(__file__).parent / "rubbish")
    assignments = (*card.assignments, f"models.mirror={MODELS}", "tts.warm=false", "conversation.follow_up=false")
    settings = app.private_folders(load_settings(None, assignments, {})[0], folder)
    try:
        async with app.running(settings, catalogue.resolve(settings)) as appliance:
            assert await appliance.wait_ready()
            yield appliance
    finally:
        del os.environ["PYTHONPATH"]


async def turn_of(appliance: Appliance, within_s: float = 20.0) -> TurnRecord:
    """The record of the next turn that ends."""
    async with asyncio.timeout(within_s):
        async for event in appliance.bus.subscribe("test"):
            if isinstance(event, TurnEnded):
                return event.record
    raise AssertionError


async def ask(appliance: Appliance, card: VirtualCard, words: Samples) -> TurnRecord:
    """Someone speaks; the turn that comes of it."""
    record = asyncio.create_task(turn_of(appliance))
    await asyncio.to_thread(card.speak_in_room, words)
    return await record


async def test_a_spoken_request_is_answered_in_the_room(tmp_path: Path) -> None:
    with VirtualCard() as card:
        async with device(card, tmp_path) as appliance:
            recorder = card.record_speaker()
            record = await ask(appliance, card, speech(alexa(), "commands/local/amy-00.flac"))
            await asyncio.sleep(0.3)
            heard = recorder.stop().astype(np.float64)
    assert (record.outcome, record.intent) == (Outcome.ANSWERED, "HassGetCurrentTime")
    assert record.wake_word == "alexa"
    blocks = heard[: len(heard) // BLOCK * BLOCK].reshape(-1, BLOCK)
    loud_s = np.count_nonzero(np.abs(blocks).max(axis=1) > 500) * BLOCK / RATE_HZ
    assert loud_s > 0.3, "no reply was heard in the room"  # what it says, and so how long, depends on the hour


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_turn_survives_its_engines(tmp_path: Path, fault: str) -> None:
    """Each child fails in the middle of a turn: that turn ends, all is ready in time, the next turn is answered."""
    command = speech("commands/local/amy-00.flac")
    with VirtualCard() as card:
        async with device(card, tmp_path) as appliance:
            for name in ("stt", "tts", "sound"):
                child = next(c for c in appliance.children if c.name == name)
                started = asyncio.create_task(_started(appliance))
                ended = asyncio.create_task(turn_of(appliance))
                await asyncio.sleep(0)
                appliance.conversation.open(Trigger("button"))
                await started
                speaking = asyncio.create_task(asyncio.to_thread(card.speak_in_room, command))
                await asyncio.sleep(0.7)  # in mid-command
                restarts, faulted_s = child.restarts, time.monotonic()
                assert child.pid is not None
                os.kill(child.pid, FAULTS[fault])
                await _replaced(appliance, name, restarts, faulted_s + HEALED_S)
                record = await ended
                await speaking
                assert not appliance.conversation.busy
                if name != "sound":  # its audio is kept: the person need not say it again
                    assert record.outcome is Outcome.ANSWERED, (name, record)
                record = await ask(appliance, card, speech(alexa(), "commands/local/amy-01.flac"))
                assert (record.outcome, record.intent) == (Outcome.ANSWERED, "HassGetCurrentTime"), (name, record)


async def _started(appliance: Appliance) -> None:
    async for event in appliance.bus.subscribe("test-started"):
        if isinstance(event, TurnStarted):
            return


async def _replaced(appliance: Appliance, name: str, restarts: int, deadline_s: float) -> None:
    """Waits until the child was replaced and all are ready; fails after the deadline (monotonic)."""
    while time.monotonic() < deadline_s:
        child = next(c for c in appliance.children if c.name == name)
        if child.restarts > restarts and all(c.ready for c in appliance.children):
            log.warning("%s: all ready %.2f s after the fault", name, time.monotonic() - deadline_s + HEALED_S)
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{name} was not replaced within {HEALED_S} s")
