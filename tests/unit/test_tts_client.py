"""Speech from a synthesiser that dies, hangs or talks rubbish; foreign ones do all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from wyoming.event import Event

from appliance.conversation.clients.tts import HIGHEST_HZ, LOWEST_HZ, TtsClient
from appliance.errors import EngineError, TtsError
from appliance.wire.message import AudioStop, Failure, Message
from appliance.wire.tts import Speech, SpeechStart, Synthesize
from tests.clock import instant, settle
from tests.fakes import FakeChild, FakeConnection

RATE_HZ = 16000
AUDIO = bytes(range(200)) * 32


def says(*messages: Message | EngineError) -> FakeChild:
    """An engine that answers every text so."""

    def answer(connection: FakeConnection, event: Event) -> None:
        if Synthesize.matches(event):
            connection.say(*messages)

    return FakeChild(answer)


def start(rate: int = RATE_HZ, width: int = 2, channels: int = 1) -> SpeechStart:
    return SpeechStart(rate, width, channels)


def speech(audio: bytes = AUDIO) -> Speech:
    return Speech(RATE_HZ, audio=audio)


async def whole(child: FakeChild) -> bytes:
    saying = TtsClient(child, pace=0).say("hello")  # type: ignore[arg-type]
    await saying.started(2.0)
    return b"".join([piece async for piece in saying.pieces()])


@instant
async def test_a_text_becomes_speech() -> None:
    child = says(start(), speech(b"ab"), speech(b"cd"), AudioStop())
    assert await whole(child) == b"abcd"
    assert len(child.connections) == 1 and child.connections[0].closed


RUBBISH: dict[str, tuple[Message, ...]] = {
    "speech before it said what kind": (speech(), AudioStop()),
    "rate 0": (start(0), speech(), AudioStop()),
    "negative rate": (start(-16000), speech(), AudioStop()),
    "rate beyond all cards": (start(HIGHEST_HZ + 1), speech(), AudioStop()),
    "rate too low": (start(LOWEST_HZ - 1), speech(), AudioStop()),
    "stereo": (start(channels=2), speech(), AudioStop()),
    "24 bits": (start(width=3), speech(), AudioStop()),
    "something else": (Synthesize("me?"),),
}


@pytest.mark.parametrize("name", RUBBISH)
@instant
async def test_rubbish_is_an_engine_error_and_tried_once_more(name: str) -> None:
    child = says(*RUBBISH[name])
    with pytest.raises(EngineError) as told:
        await whole(child)
    assert told.value.code == "garbage" and told.value.stage == "tts"
    assert len(child.connections) == 2 and [error.code for error in child.suspected] == ["garbage"]


@pytest.mark.parametrize("rate_hz", [LOWEST_HZ, HIGHEST_HZ])
@instant
async def test_the_rates_that_are_played(rate_hz: int) -> None:
    assert await whole(says(start(rate_hz), speech(), AudioStop())) == AUDIO


@instant
async def test_what_was_heard_already_is_not_said_again_by_a_successor() -> None:
    tries: list[Callable[[FakeConnection], None]] = [
        lambda connection: connection.say(start(), speech(AUDIO[:1000]), EngineError("closed", "It died.")),
        lambda connection: connection.say(start(), speech(AUDIO[:600]), speech(AUDIO[600:]), AudioStop()),
    ]

    def answer(connection: FakeConnection, event: Event) -> None:
        if Synthesize.matches(event):
            tries.pop(0)(connection)

    child = FakeChild(answer)
    assert await whole(child) == AUDIO
    assert [error.code for error in child.suspected] == ["closed"]


@instant
async def test_a_text_that_cannot_be_said_is_no_fault_of_the_engine() -> None:
    child = says(Failure("No voice for this language.", "no-voice"))
    with pytest.raises(TtsError, match="No voice") as told:
        await whole(child)
    assert told.value.code == "no-voice" and child.suspected == [] and len(child.connections) == 1


@instant
async def test_an_engine_that_says_nothing_is_given_up_in_time() -> None:
    child = says()
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(TtsError) as told:
        await whole(child)
    assert told.value.code == "deadline" and [error.code for error in child.suspected] == ["deadline"]
    assert asyncio.get_running_loop().time() - begun_s == pytest.approx(2.0, abs=0.1)


@instant
async def test_closing_ends_the_synthesis_and_whoever_waits_for_it() -> None:
    child = says(start(), speech())
    saying = TtsClient(child, pace=0).say("hello")  # type: ignore[arg-type]
    await saying.started(2.0)
    taken = asyncio.create_task(_all(saying.pieces()))
    await settle()
    saying.close()
    assert await taken == [AUDIO] and child.connections[0].closed


async def _all(pieces: object) -> list[bytes]:
    return [piece async for piece in pieces]  # type: ignore[attr-defined]


@instant
async def test_long_speech_is_given_to_the_card_shortly_before_its_time() -> None:
    second = bytes(2 * RATE_HZ)
    child = says(start(), *(speech(second) for _ in range(20)), AudioStop())
    saying = TtsClient(child).say("a long story")  # type: ignore[arg-type]
    await saying.started(2.0)
    begun_s = asyncio.get_running_loop().time()
    at_s = [asyncio.get_running_loop().time() - begun_s async for _ in saying.pieces()]
    assert at_s[4] == 0.0 and at_s[-1] == pytest.approx(15.0)
