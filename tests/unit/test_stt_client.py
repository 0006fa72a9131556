"""One utterance, whatever becomes of the recogniser meanwhile: the person need not say it again."""

from __future__ import annotations

import asyncio

import pytest
from wyoming.event import Event

from appliance.conversation.clients.stt import KEPT_BYTES, RETRIES, Transcription, compile_ahead
from appliance.errors import EngineError, SttError
from appliance.wire.message import AudioStart, AudioStop, Failure, Message, Ping, Pong
from appliance.wire.stt import Chunk, Flush, Partial, Transcribe, Transcript
from tests.clock import instant, settle
from tests.fakes import FakeChild, FakeConnection, FakeRecogniser

READY_S = 3.0
BLOCKS = [bytes([n]) * 1024 for n in range(1, 9)]


def utterance(child: FakeChild, partials: list[Partial] | None = None, lockstep: bool = False) -> Transcription:
    heard = partials if partials is not None else []
    return Transcription(child, Transcribe(language="en"), READY_S, heard.append, lockstep)  # type: ignore[arg-type]


def audio(connection: FakeConnection) -> bytes:
    """All that a connection was given."""
    return b"".join(Chunk.from_event(event).audio for event in connection.sent if Chunk.matches(event))


def kinds(connection: FakeConnection) -> list[str]:
    return [event.type for event in connection.sent]


@instant
async def test_an_utterance_in_its_order() -> None:
    child = FakeRecogniser("good morning")
    async with utterance(child) as heard:
        for block in BLOCKS:
            await heard.hear(block)
        transcript = await heard.finish(2.0)
    (connection,) = child.connections
    assert transcript == Transcript("good morning", confidence=0.9, complete=True)
    assert kinds(connection) == ["transcribe", "audio-start", *["audio-chunk"] * 8, "audio-stop"]
    assert Transcribe.from_event(connection.sent[0]).language == "en"
    assert AudioStart.from_event(connection.sent[1]).rate == 16000
    at = [Chunk.from_event(event).timestamp for event in connection.sent if Chunk.matches(event)]
    assert at == [n * 32 for n in range(8)]
    assert connection.closed and heard.second_tries == 0 and child.suspected == []


@instant
async def test_a_successor_hears_the_whole_utterance_again() -> None:
    child = FakeRecogniser()
    async with utterance(child) as heard:
        for block in BLOCKS[:5]:
            await heard.hear(block)
        child.die()
        for block in BLOCKS[5:]:
            await heard.hear(block)
        assert (await heard.finish(2.0)).text == child.text
    assert audio(child.connections[-1]) == b"".join(BLOCKS)
    assert heard.second_tries == 1 and [error.code for error in child.suspected] == ["send-failed"]


@instant
async def test_one_that_dies_over_the_final_text_is_asked_again() -> None:
    child = FakeRecogniser()
    child.hangs = True
    async with utterance(child) as heard:
        for block in BLOCKS:
            await heard.hear(block)
        asked = asyncio.create_task(heard.finish(2.0))
        await asyncio.sleep(1.0)
        child.hangs = False
        child.die()
        assert (await asked).text == child.text
    assert audio(child.connections[-1]) == b"".join(BLOCKS) and kinds(child.connections[-1])[-1] == "audio-stop"


@instant
async def test_it_gives_up_after_so_many_tries() -> None:
    child = FakeRecogniser()
    child.hangs = True
    async with utterance(child) as heard:
        await heard.hear(BLOCKS[0])
        with pytest.raises(EngineError) as told:
            await heard.finish(2.0)
    assert told.value.code == "deadline" and len(child.connections) == RETRIES + 1
    assert [error.code for error in child.suspected] == ["deadline"] * (RETRIES + 1)


@instant
async def test_no_recogniser_at_all() -> None:
    child = FakeRecogniser()
    child.gone = True
    with pytest.raises(EngineError) as told:
        async with utterance(child):
            pass
    assert told.value.code == "not-ready"


@instant
async def test_a_refusal_is_final_and_no_reason_to_kill() -> None:
    def answer(connection: FakeConnection, event: Event) -> None:
        if AudioStop.matches(event):
            connection.say(Failure("The utterance is too long.", "too-long"))

    child = FakeChild(answer)
    async with utterance(child) as heard:
        await heard.hear(BLOCKS[0])
        with pytest.raises(SttError, match="too long"):
            await heard.finish(2.0)
    assert child.suspected == [] and len(child.connections) == 1


@instant
async def test_rubbish_in_an_utterance_has_the_recogniser_replaced() -> None:
    rubbish: list[Message | Event] = [Event("weather", {}), Partial("x", 1).event()]
    rubbish[1].data["audio_ms"] = float("nan")  # type: ignore[union-attr]
    for message in rubbish:
        child = FakeChild(lambda connection, event, message=message: connection.say(message))  # type: ignore[misc]
        with pytest.raises(EngineError) as told:
            async with utterance(child) as heard:
                await heard.hear(BLOCKS[0])
                await heard.finish(2.0)
        assert told.value.code == "garbage" and child.suspected


@instant
async def test_wyomings_own_streaming_events_are_no_rubbish() -> None:
    def answer(connection: FakeConnection, event: Event) -> None:
        if AudioStop.matches(event):
            connection.say(Event("transcript-start", {}), Event("transcript-chunk", {"text": "a"}), Transcript("a b"))

    async with utterance(FakeChild(answer)) as heard:
        await heard.hear(BLOCKS[0])
        assert (await heard.finish(2.0)).text == "a b"


@instant
async def test_noise_is_forgotten_and_the_time_line_goes_on() -> None:
    child = FakeRecogniser()
    partials: list[Partial] = []
    async with utterance(child, partials) as heard:
        for block in BLOCKS[:6]:
            await heard.hear(block)
        await heard.begin_again(keep_ms=64)
        child.partial = ("what time", 0.9)
        await heard.hear(BLOCKS[6])
        await heard.finish(2.0)
    assert audio(child.connections[-1]) == b"".join(BLOCKS[4:7]) and len(child.connections) == 2
    assert partials[-1].audio_ms == 7 * 32, "six blocks before and this one"
    assert heard.second_tries == 0


@instant
async def test_flush_asks_for_a_reading_of_all_so_far() -> None:
    child = FakeRecogniser()
    partials: list[Partial] = []
    async with utterance(child, partials) as heard:
        await heard.hear(BLOCKS[0])
        child.partial = ("what", 0.5)
        await heard.flush()
        await settle()
    assert [partial.text for partial in partials] == ["what"] and Flush.matches(child.connections[0].sent[-1])


@instant
async def test_in_lockstep_every_block_is_waited_for() -> None:
    child = FakeRecogniser()
    async with utterance(child, lockstep=True) as heard:
        for block in BLOCKS[:2]:
            await heard.hear(block)
        await heard.flush()
    assert kinds(child.connections[0])[2:] == ["audio-chunk", "ping", "audio-chunk", "ping", "flush", "ping"]


@instant
async def test_in_lockstep_one_that_decodes_nothing_is_given_up() -> None:
    child = FakeChild()
    with pytest.raises(EngineError) as told:
        async with utterance(child, lockstep=True) as heard:
            await heard.hear(BLOCKS[0])
    assert told.value.code == "hung"


@instant
async def test_the_deadline_counts_from_the_last_sign_of_progress() -> None:
    def answer(connection: FakeConnection, event: Event) -> None:
        if AudioStop.matches(event):
            loop = asyncio.get_running_loop()
            loop.call_later(1.5, connection.say, Partial("slow", 100))
            loop.call_later(3.0, connection.say, Transcript("slowly"))

    child = FakeChild(answer)
    async with utterance(child) as heard:
        await heard.hear(BLOCKS[0])
        assert (await heard.finish(2.0)).text == "slowly"
    assert child.suspected == []


@instant
async def test_the_memory_of_an_utterance_is_bounded() -> None:
    child = FakeRecogniser()
    async with utterance(child) as heard:
        for _ in range(3):
            await heard.hear(bytes(KEPT_BYTES // 2))
        assert len(heard._kept) == KEPT_BYTES


@instant
async def test_a_grammar_is_compiled_ahead_by_an_utterance_without_audio() -> None:
    child = FakeRecogniser("")
    await compile_ahead(child, Transcribe(grammar="x"))  # type: ignore[arg-type]
    assert kinds(child.connections[0]) == ["transcribe", "audio-start", "audio-stop"] and child.connections[0].closed
    assert Pong.matches(Pong().event()) and not Pong.matches(Ping().event())
