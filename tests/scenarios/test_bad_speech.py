"""In: people who pause, cough, play music, talk of the device. Out: an answer where one is due, nothing done by mistake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.bench.labels import Label, read_labels
from appliance.conversation.clients.tts import AHEAD_S
from appliance.events import Outcome, TurnEnded, TurnRecord
from appliance.replay.feed import feed_settings
from appliance.replay.player import Player
from appliance.replay.recording import RATE_HZ, Recording, load
from appliance.settings import load as load_settings
from appliance.sim.recorder import Samples
from appliance.sim.room import spoken, voiced_until
from tests.shared import AUDIO, MODELS, needs_shared

pytestmark = [needs_shared, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
HOME, LOCAL = AUDIO / "commands/home", AUDIO / "commands/local"
PAUSE_S = 0.6


@asynccontextmanager
async def device(folder: Path, home: Path | None = None, speed: float = 0.0) -> AsyncIterator[Appliance]:
    """The real program, its microphone fed as fast as it takes it, or in real time."""
    always = (f"models.mirror={MODELS}", "tts.warm=false", "conversation.follow_up=false")
    settings = feed_settings(load_settings(None, always, {})[0], folder, speed, home)
    async with app.running(settings, catalogue.resolve(settings)) as appliance:
        assert await appliance.wait_ready()
        yield appliance


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Appliance]:
    """One program for the file: each test leaves it idle."""
    async with device(tmp_path_factory.mktemp("device"), HOME / "home.json") as appliance:
        yield appliance


@pytest.fixture
def house(started: Appliance) -> Appliance:
    started.agent.forget()
    for timer in started.agent.timers.all():
        started.agent.timers.cancel(timer.id)
    return started


async def said(appliance: Appliance, samples: Samples, cause: str = "button") -> TurnRecord:
    await asyncio.sleep(0.2)  # the sound engine is told of the last turn's end on another connection than of this feed
    return (await Player(appliance, cause, False).play(Recording(Path("said.wav"), samples, None))).record


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def room(seconds: float, level: float = 12.0) -> Samples:
    """A quiet room: noise at -69 dBFS."""
    return np.asarray(np.rint(np.random.default_rng(3).normal(0.0, level, int(seconds * RATE_HZ))), dtype=np.int16)


def wake_word() -> Samples:
    """A clear one: the second is said while the device speaks, when more is asked of it."""
    return spoken(load(sorted((AUDIO / "wake/alexa").iterdir())[7]).samples)


def command(intent: str, speaker: str = "amy") -> tuple[Samples, Label]:
    label = next(each for each in read_labels(LOCAL) if each.intent == intent and each.file.name.startswith(speaker))
    return spoken(load(label.file).samples), label


def parted(samples: Samples) -> Samples:
    """The recording with PAUSE_S of its own room in the quietest 20 ms near the middle of its speech."""
    step = RATE_HZ // 50
    begin = int(np.flatnonzero(np.abs(samples.astype(np.int32)) > np.abs(samples.astype(np.int32)).max() // 10)[0])
    at_s = (begin + voiced_until(samples)) / 2 / RATE_HZ
    near = range(int((at_s - 0.25) * RATE_HZ), int((at_s + 0.25) * RATE_HZ), step // 2)
    cut = min(near, key=lambda at: float((samples[at : at + step].astype(np.float64) ** 2).sum())) + step // 2
    own = samples[voiced_until(samples) :]
    own = own if len(own) > step else room(0.1)
    between = np.resize(np.concatenate((own, own[::-1])), int(PAUSE_S * RATE_HZ))
    return np.asarray(np.concatenate((samples[:cut], between, samples[cut:])), dtype=np.int16)


def cough(seconds: float = 0.28) -> Samples:
    """A burst of noise that dies away, twice."""
    chance = np.random.default_rng(5)
    length = int(seconds * RATE_HZ)
    burst = chance.normal(0.0, 6000.0, length) * np.exp(-np.arange(length) / (0.06 * RATE_HZ))
    burst = np.convolve(burst, np.hanning(12) / 6.0, "same")  # a throat has no treble
    twice = np.concatenate((burst, np.zeros(length // 3), 0.7 * burst))
    return np.asarray(np.clip(twice, -32768, 32767), dtype=np.int16)


def music(seconds: float) -> Samples:
    """Four chords on a string-like sound, a bass drum on each beat and noise for a hi-hat between, 120 a minute."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    chords = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0), (196.0, 246.9, 293.7))
    beat = 0.5
    whole = np.zeros(len(t))
    for number in range(int(seconds / beat)):
        at = slice(int(number * beat * RATE_HZ), int((number + 1) * beat * RATE_HZ))
        here = t[at] - t[at.start]
        for tone_hz in chords[number // 4 % 4]:
            whole[at] += sum(np.sin(2 * np.pi * k * tone_hz * t[at]) / k for k in range(1, 7)) * np.exp(-here)
        whole[at] += 4 * np.sin(2 * np.pi * 60 * here) * np.exp(-here / 0.05)
        hat = np.random.default_rng(number).normal(0.0, 0.8, len(here))
        whole[at] += hat * np.exp(-np.abs(here - beat / 2) / 0.02)
    return np.asarray(np.clip(whole / np.abs(whole).max() * 9000, -32768, 32767), dtype=np.int16)


@pytest.mark.parametrize("name", ["turn off lights in the Office", "activate Mood Lighting", "lock the Front Door"])
async def test_a_pause_of_six_tenths_in_the_middle_is_waited_for(house: Appliance, name: str) -> None:
    label = next(each for each in read_labels(HOME) if each.file.stem == name)
    samples = load(label.file).samples
    whole = await said(house, samples)
    paused = await said(house, parted(samples))
    assert label.right(whole.intent, whole.slots), whole
    assert label.right(paused.intent, paused.slots), paused


async def test_a_second_command_straight_after_the_first_is_answered_too(tmp_path: Path) -> None:
    """With the wake word in front of each, and a third of a second between them: the first reply is cut short."""
    first, time = command("HassGetCurrentTime")
    second, timer = command("HassStartTimer")
    word = wake_word()
    speech = np.concatenate((room(0.5), word, room(0.15), first, room(0.35), word, room(0.15), second, room(1.5)))
    async with device(tmp_path, speed=1.0) as appliance:
        watch = appliance.bus.subscribe("second", 20000)
        await Player(appliance, "wake", True).play(Recording(Path("said.wav"), speech, None))
        intents = []
        async with asyncio.timeout(20):
            async for event in watch:
                if isinstance(event, TurnEnded):
                    intents.append(event.record.intent)
                    if len(intents) == 2:
                        break
        assert intents == [time.intent, timer.intent]
        assert [each.started_s for each in appliance.agent.timers.all()] == [300.0]


async def test_a_second_command_in_one_breath_does_no_harm(house: Appliance) -> None:
    first, time = command("HassGetCurrentTime")
    second, _ = command("HassStartTimer")
    both = await said(house, np.concatenate((first, room(0.3), second, room(1.0))))
    assert both.outcome is Outcome.ANSWERED and both.intent == time.intent, both
    assert not house.agent.timers.all(), "what came after the end of speech is nobody's command"
    again = await said(house, np.concatenate((second, room(1.0))))
    assert again.intent == "HassStartTimer"


async def test_a_cough_is_no_command_and_spoils_none(house: Appliance) -> None:
    alone = await said(house, np.concatenate((room(0.4), cough(), room(3.0))))
    assert alone.intent is None and alone.outcome in (Outcome.NO_SPEECH, Outcome.NOT_UNDERSTOOD), alone
    words, label = command("HassCancelAllTimers", "kristin")
    before = await said(house, np.concatenate((room(0.2), cough(), room(0.5), words, room(1.0))))
    assert label.right(before.intent, before.slots), before


async def test_music_is_no_command_and_ends(house: Appliance) -> None:
    played = await said(house, music(24.0))
    assert played.intent is None and played.outcome in (Outcome.NO_SPEECH, Outcome.NOT_UNDERSTOOD), played
    assert not house.agent.timers.all()


async def test_the_wake_word_inside_a_sentence_does_nothing(house: Appliance) -> None:
    word = wake_word()
    talk = [load(HOME / f"oov_{number}.flac").samples for number in (1, 2)]
    turn = await said(
        house, np.concatenate((spoken(talk[0]), room(0.05), word, room(0.05), spoken(talk[1]), room(2.0))), "wake"
    )
    assert turn.intent is None and turn.outcome in (Outcome.NO_SPEECH, Outcome.NOT_UNDERSTOOD), turn


SENTENCE = "The garden has seen much rain this week and the roses by the old wall are in flower again. "


async def test_a_reply_of_500_words_streams_waits_its_turn_and_can_be_stopped(tmp_path: Path) -> None:
    text = SENTENCE * (500 // len(SENTENCE.split()) + 1)
    async with device(tmp_path, speed=1.0) as appliance:
        given: list[tuple[float, int]] = []
        clock = asyncio.get_running_loop().time
        begun_s = clock()
        appliance.ear.on_piece = lambda voice, rate_hz, piece: given.append(
            (clock(), len(piece) // 2 * 1000 // rate_hz)
        )
        speaking = asyncio.create_task(appliance.conversation.announce(text))
        await asyncio.sleep(8.0)
        assert given, "it has begun long before all of it was made"
        given_s = sum(length_ms for _, length_ms in given) / 1000
        assert given_s <= clock() - begun_s + AHEAD_S + 0.5, "what is not due yet waits at the synthesiser"
        assert appliance.conversation.hush()
        await asyncio.wait_for(speaking, 1.0)
        pieces = len(given)
        await asyncio.sleep(0.5)
        assert len(given) == pieces, "silence"
        made_s = appliance.tts.counters.get("speech_s", 0.0)
        assert made_s < 60.0, "of three minutes"


async def test_a_long_reply_ends_for_who_takes_it_slowly(house: Appliance) -> None:
    """The synthesiser is done long before: its end must not get lost behind what waits."""
    saying = house.voice.say(SENTENCE * 4)
    await saying.started(5.0)
    length_s = 0.0
    async with asyncio.timeout(60):
        async for piece in saying.pieces():
            length_s += len(piece) / 2 / saying.rate_hz
            await asyncio.sleep(0.02)
    assert length_s > 16.0
