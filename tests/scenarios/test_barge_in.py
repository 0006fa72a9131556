"""In: people who interrupt the device, in a room that hears its loudspeaker. Out: silence at once, and a turn of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from appliance import catalogue
from appliance.bench import selfwake
from appliance.bench.request import Request
from appliance.engines.sound.capture.resample import Resampler
from appliance.events import Outcome, TurnStarted, WakeDetected
from appliance.replay.recording import RATE_HZ
from appliance.settings import load as load_settings
from appliance.sim.card import VirtualCard, missing
from appliance.sim.recorder import Recorder
from appliance.sim.room import AUDIBLE, Room, find, room
from tests.scenarios.test_card import alexa, speech
from tests.shared import MODELS, needs_shared

pytestmark = [
    needs_shared,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
    pytest.mark.timeout(120),
]

ECHO_DB = -20.0
SILENCE_S = 0.15
"""Issue: a reply is silenced within 150 ms of the detection."""
BUSY_S = 0.1
"""The recorder's own delay, and a machine that does other things as well."""


@asynccontextmanager
async def house(*assignments: str) -> AsyncIterator[Room]:
    """The real program on the virtual card, whose microphone hears its loudspeaker."""
    settings = load_settings(None, (f"models.mirror={MODELS}", "tts.warm=false", *assignments), {})[0]
    with VirtualCard(echo_db=ECHO_DB) as card:
        async with room(settings, catalogue.resolve(settings), card) as home:
            yield home


def sounds_until_s(recorder: Recorder, since: int) -> float:
    """How long after sample `since` the loudspeaker still sounded, before a first pause of 0.15 s."""
    loud = np.flatnonzero(np.abs(recorder.samples()[since:].astype(np.int32)) > AUDIBLE)
    if not len(loud) or loud[0] > SILENCE_S * RATE_HZ:
        return 0.0
    pauses = np.flatnonzero(np.diff(loud) > SILENCE_S * RATE_HZ)
    return float(loud[pauses[0]] if len(pauses) else loud[-1]) / RATE_HZ


async def counters(home: Room) -> dict[str, float]:
    """Of the sound engine, which tells them once a second."""
    await asyncio.sleep(1.2)
    return home.appliance.ear.counters


async def test_the_wake_word_silences_a_reply_and_what_follows_is_answered() -> None:
    async with house() as home:
        recorder = home.card.record_speaker()
        for command in ("amy-00", "kristin-00"):
            await home.begin_a_long_reply()
            speaking = asyncio.create_task(home.hears(speech(alexa(), f"commands/local/{command}.flac")))
            await home.until(WakeDetected)
            at = len(recorder.samples())
            cut = await home.turn()
            answered = await home.turn()
            await speaking
            assert cut.cause == "command"
            assert sounds_until_s(recorder, at) <= SILENCE_S + BUSY_S
            assert answered.cause == "wake"
            assert answered.intent == "HassGetCurrentTime", (command, answered)
            home.forget_timers()


async def test_a_suspected_word_holds_the_reply_before_it_is_sure() -> None:
    async with house() as home:
        recorder = home.card.record_speaker()
        await home.begin_a_long_reply()
        speaking = asyncio.create_task(home.hears(speech(alexa())))
        await home.until(WakeDetected)
        at = len(recorder.samples())
        cut = await home.turn()
        await speaking
        assert cut.cause == "command"
        assert sounds_until_s(recorder, at) == 0.0, "it was silent when the word was sure"
        counted = await counters(home)
        assert (counted["holds"], counted["holds_unconfirmed"]) == (1, 0)


async def test_a_reply_held_for_nothing_goes_on_where_it_was() -> None:
    async with house("wake.speaking_cutoff_add=0.5", "wake.stop_word=false") as home:  # no mean of five is that sure
        recorder = home.card.record_speaker()
        said: list[tuple[int, bytes]] = []
        home.appliance.ear.on_piece = lambda voice, rate_hz, piece: said.append((rate_hz, piece))
        await home.begin_a_long_reply()
        speaking = asyncio.create_task(home.hears(speech(alexa())))
        reply = await home.turn()
        await speaking
        counted = await counters(home)
        assert (counted["holds"], counted["holds_unconfirmed"]) == (1, 1)
        assert (reply.cause, reply.outcome) == ("command", Outcome.ANSWERED)
        assert len(home.appliance.conversation.records) == 1
        resampler = Resampler(said[0][0], RATE_HZ)
        words = resampler.take(np.frombuffer(b"".join(piece for _, piece in said), np.int16))
        heard = recorder.stop()
        first = find(words[:RATE_HZ], heard)
        lag_s = [
            (find(words[at : at + RATE_HZ], heard) - first - at) / RATE_HZ
            for at in range(0, len(words) - RATE_HZ, RATE_HZ // 2)
        ]
        assert lag_s[0] == pytest.approx(0.0, abs=0.02)
        assert 0.1 < lag_s[-1] < 0.6, "the whole rest came that much later"
        middle = [lag for lag in lag_s if 0.05 < lag < lag_s[-1] - 0.05]
        assert len(middle) <= 3 and min(lag_s) > -0.02, ("what was held is said once", lag_s)


async def test_stop_silences_a_reply_and_an_alarm_and_opens_nothing() -> None:
    async with house() as home:
        recorder, timers = home.card.record_speaker(), home.appliance.agent.timers
        stop = await home.words("Stop!")
        await home.hears(stop)
        assert not home.appliance.conversation.records, "nothing sounded, so nothing was meant"

        await home.begin_a_long_reply()
        speaking = asyncio.create_task(home.hears(stop))
        cut = await home.turn(4.0)
        at = len(recorder.samples())
        await speaking
        assert cut.cause == "command"
        assert sounds_until_s(recorder, at) <= SILENCE_S + BUSY_S

        timers.start(0.2)
        await asyncio.sleep(0.7)
        assert timers.ringing()
        for _ in range(3):  # the alarm is loud, and people say it again
            if timers.ringing():
                await home.hears(stop)
        assert not timers.ringing()
        assert len(home.appliance.conversation.records) == 1, "no turn was opened by the word"


async def test_own_words_never_wake_it_and_never_come_back_as_a_command() -> None:
    async with house() as home:
        for text in (
            "Alexa, what time is it? Alexa! Alexa!",
            "Please stop. Stop! Alexa, set a timer for five minutes.",
        ):
            recorder = home.card.record_speaker()
            await home.appliance.conversation.announce(text)
            loud = np.flatnonzero(np.abs(recorder.stop().astype(np.int32)) > AUDIBLE)
            assert np.ptp(loud) > 2.5 * RATE_HZ, "it cut itself short"
        await asyncio.sleep(0.5)
        assert not home.appliance.conversation.records
        assert not home.appliance.agent.timers.all()


async def test_after_a_question_the_microphone_opens_when_the_card_has_drained() -> None:
    async with house("conversation.no_speech_s=1.0", "conversation.follow_up_turns=1") as home:
        timers = home.appliance.agent.timers
        short, long = timers.start(300), timers.start(600)
        answer = await home.words("The ten minute timer.")
        recorder = home.card.record_speaker()
        home.appliance.conversation.command("cancel the timer")
        asked = await home.turn()
        assert asked.reply is not None and asked.reply.endswith("?")
        await home.until(TurnStarted)
        spoken = len(recorder.samples())
        await home.hears(answer)
        followed = await home.turn()
        assert (followed.cause, followed.outcome) == ("follow_up", Outcome.ANSWERED), followed
        assert timers.all() == (short,), (followed.transcript, long)
        before = np.abs(recorder.samples()[spoken : spoken + RATE_HZ // 2].astype(np.int32))
        assert before.max() <= AUDIBLE, "the question was over when it began to listen"

        timers.start(600)
        again = await home.words("Cancel the timer.")
        home.appliance.conversation.command("cancel the timer")
        await home.turn()
        await home.until(TurnStarted)
        await home.hears(again)
        last = await home.turn()
        assert last.cause == "follow_up" and last.reply == asked.reply, "it asks once more"
        await asyncio.sleep(0.5)
        assert not home.appliance.conversation.busy, "questions end after follow_up_turns"


def test_its_own_replies_do_not_wake_it() -> None:
    """The short form of `appliance bench selfwake`."""
    settings = load_settings(None, (f"models.mirror={MODELS}", "tts.warm=false"), {})[0]
    done = selfwake.run(Request(settings=settings, models=catalogue.resolve(settings), limit=6))
    assert done.n == 6 and (done.measures["selfwake.speech_minutes"] or 0) > 0.1
    for name in ("detections", "turns", "cut_replies"):
        assert done.measures[f"selfwake.{name}"] == 0, (name, done.details)
