"""In: people who interrupt the device, in a room that hears its loudspeaker. Out: silence at once, and a turn of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.bench.virtual_card import Recorder, Samples, VirtualCard, missing
from appliance.engines.sound.resample import Resampler
from appliance.events import Happening, Outcome, ReplyStarted, TurnEnded, TurnRecord, TurnStarted, WakeDetected
from appliance.replay.recording import RATE_HZ
from appliance.settings import load as load_settings
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
AUDIBLE = 100
TIMERS_S = (300, 600, 1200, 2400, 3600)


class House:
    """The program in a room, and who speaks in it."""

    def __init__(self, appliance: Appliance, card: VirtualCard) -> None:
        self.appliance, self.card = appliance, card
        self._watch = appliance.bus.watch("test", 20000)

    async def until(self, kind: type[Happening], within_s: float = 20.0) -> Happening:
        """The next happening of a kind."""
        async with asyncio.timeout(within_s):
            async for happening in self._watch:
                if isinstance(happening, kind):
                    return happening
        raise AssertionError

    async def turn(self, within_s: float = 20.0) -> TurnRecord:
        ended = await self.until(TurnEnded, within_s)
        assert isinstance(ended, TurnEnded)
        return ended.record

    async def hears(self, words: Samples) -> None:
        """Someone speaks and is done."""
        await asyncio.to_thread(self.card.speak_in_room, words)

    async def begin_a_long_reply(self) -> None:
        """Some ten seconds of speech, of which one is over."""
        for seconds in TIMERS_S:
            self.appliance.mind.timers.start(seconds)
        self.appliance.conversation.command("what timers are running")
        await self.until(ReplyStarted)
        await asyncio.sleep(1.0)

    async def words(self, text: str) -> Samples:
        """Someone with the device's own voice says `text`."""
        saying = self.appliance.voice.say(text)
        await saying.started(5.0)
        spoken = b"".join([piece async for piece in saying.pieces()])
        resampler = Resampler(saying.rate_hz, RATE_HZ)
        samples = np.concatenate((resampler.take(np.frombuffer(spoken, np.int16)), resampler.flush()))
        return np.asarray(np.concatenate((samples, np.zeros(RATE_HZ // 4, np.int16))), dtype=np.int16)


@asynccontextmanager
async def house(folder: Path, *assignments: str) -> AsyncIterator[House]:
    """The real program on the virtual card, whose microphone hears its loudspeaker."""
    with VirtualCard(echo_db=ECHO_DB) as card, pytest.MonkeyPatch.context() as patch:
        for name, value in card.environment.items():
            patch.setenv(name, value)
        always = (*card.assignments, f"models.mirror={MODELS}", "tts.warm=false")
        settings = app.private_folders(load_settings(None, (*always, *assignments), {})[0], folder)
        async with app.running(settings, catalogue.resolve(settings)) as appliance:
            assert await appliance.wait_ready()
            yield House(appliance, card)


def sounds_until_s(recorder: Recorder, since: int) -> float:
    """How long after sample `since` the loudspeaker still sounded, before a first pause of 0.15 s."""
    loud = np.flatnonzero(np.abs(recorder.samples()[since:].astype(np.int32)) > AUDIBLE)
    if not len(loud) or loud[0] > SILENCE_S * RATE_HZ:
        return 0.0
    pauses = np.flatnonzero(np.diff(loud) > SILENCE_S * RATE_HZ)
    return float(loud[pauses[0]] if len(pauses) else loud[-1]) / RATE_HZ


async def test_the_wake_word_silences_a_reply_and_what_follows_is_answered(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        recorder, intents = home.card.record_speaker(), []
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
            intents.append(answered.intent)
            for timer in home.appliance.mind.timers.all():
                home.appliance.mind.timers.cancel(timer.id)
        # The last bit of the word or of the reply may be read as a word of its own ("hi") and end a turn too early.
        assert "HassGetCurrentTime" in intents


async def test_stop_silences_a_reply_and_an_alarm_and_opens_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        recorder, timers = home.card.record_speaker(), home.appliance.mind.timers
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


async def test_own_words_never_wake_it_and_never_come_back_as_a_command(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
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
        assert not home.appliance.mind.timers.all()


async def test_after_a_question_the_microphone_opens_when_the_card_has_drained(tmp_path: Path) -> None:
    async with house(tmp_path, "conversation.no_speech_s=1.0", "conversation.follow_up_turns=1") as home:
        timers = home.appliance.mind.timers
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
