"""One owner of the loudspeaker: one sound at a time, the more important first, and who gives way is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from appliance.conversation import loudspeaker
from appliance.conversation.loudspeaker import Loudspeaker, Rank
from appliance.errors import PlayError
from tests.clock import instant, settle
from tests.fakes import FakeEar

SECOND = bytes(2 * 16000)


async def pieces(mark: bytes = b"x", seconds: int = 3) -> AsyncIterator[bytes]:
    for _ in range(seconds):
        yield mark + SECOND[1:]


def heard(ear: FakeEar) -> str:
    return "".join(piece[:1].decode() for _, piece, _ in ear.played)


def play(speaker: Loudspeaker, rank: Rank, mark: bytes, **named: int) -> asyncio.Task[object]:
    return asyncio.create_task(speaker.play(rank, pieces(mark), 16000, **named))  # type: ignore[arg-type]


@pytest.mark.parametrize("lower", [Rank.ALARM, Rank.ANNOUNCEMENT])
@instant
async def test_the_more_important_sound_takes_over_and_the_other_is_told(lower: Rank) -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    under = play(speaker, lower, b"l")
    await asyncio.sleep(1.5)
    over = play(speaker, Rank.REPLY, b"r")
    with pytest.raises(PlayError) as told:
        await under
    assert told.value.code == "interrupted" and speaker.interrupted == 1
    await over
    assert heard(ear) == "llrrr" and ear.most_at_once == 1 and ear.cancelled == 1


@pytest.mark.parametrize("lower", [Rank.ALARM, Rank.ANNOUNCEMENT])
@instant
async def test_the_less_important_sound_waits(lower: Rank) -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    first = play(speaker, Rank.REPLY, b"r")
    await settle()
    await asyncio.gather(play(speaker, lower, b"l"), first)
    assert heard(ear) == "rrrlll" and ear.most_at_once == 1 and ear.cancelled == 0


@instant
async def test_equals_wait_in_order_and_the_highest_of_those_who_wait_is_next() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    tasks = [play(speaker, Rank.REPLY, b"a")]
    await settle()
    for rank, mark in ((Rank.ALARM, b"d"), (Rank.ANNOUNCEMENT, b"c"), (Rank.REPLY, b"b")):
        tasks.append(play(speaker, rank, mark))
        await settle()
    await asyncio.gather(*tasks)
    assert heard(ear) == "aaabbbcccddd" and ear.most_at_once == 1


@instant
async def test_a_chime_waits_for_nothing() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    reply = play(speaker, Rank.REPLY, b"r")
    await settle()
    with pytest.raises(PlayError) as told:
        await speaker.tone("listen")
    assert told.value.code == "busy"
    await reply
    await speaker.tone("listen")
    assert [voice for voice, _, _ in ear.played] == ["reply"] * 3 + ["chime"]


@instant
async def test_no_more_than_so_many_wait() -> None:
    speaker = Loudspeaker(FakeEar())
    tasks = [play(speaker, Rank.ALARM, b"a") for _ in range(loudspeaker.MOST_WAITING + 1)]
    await settle()
    with pytest.raises(PlayError) as told:
        await speaker.play(Rank.ALARM, pieces(), 16000)
    assert told.value.code == "busy"
    await asyncio.gather(*tasks)


@instant
async def test_being_cancelled_silences_and_frees_the_loudspeaker() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    first = play(speaker, Rank.REPLY, b"a")
    await asyncio.sleep(0.5)
    assert speaker.rank is Rank.REPLY
    first.cancel()
    await settle()
    assert ear.cancelled == 1 and ear.sounding == [] and speaker.rank is None
    await play(speaker, Rank.ALARM, b"b")
    assert heard(ear) == "abbb"


@instant
async def test_one_that_waits_and_is_cancelled_holds_nobody_up() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    first, second = play(speaker, Rank.REPLY, b"a"), play(speaker, Rank.REPLY, b"b")
    await settle()
    third = play(speaker, Rank.REPLY, b"c")
    second.cancel()
    await asyncio.gather(first, third)
    assert heard(ear) == "aaaccc"


@instant
async def test_a_failed_sound_frees_the_loudspeaker() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    ear.broken = PlayError("card", "The card is gone.")
    with pytest.raises(PlayError, match="gone"):
        await speaker.tone("error")
    ear.broken = None
    await speaker.tone("error")


@instant
async def test_a_card_that_does_not_take_the_cancel_holds_nobody_up_for_long() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear)
    ear.slow_to_cancel_s = 3600.0
    first = play(speaker, Rank.REPLY, b"a")
    await asyncio.sleep(0.5)
    begun_s = asyncio.get_running_loop().time()
    first.cancel()
    await play(speaker, Rank.ALARM, b"b")
    assert asyncio.get_running_loop().time() - begun_s <= loudspeaker.SILENCED_S + 3.0


@instant
async def test_a_loudness_of_its_own_holds_for_that_sound_only() -> None:
    ear = FakeEar()
    speaker = Loudspeaker(ear, lambda: 50)
    reply = play(speaker, Rank.REPLY, b"r")
    await settle()
    await asyncio.gather(play(speaker, Rank.ANNOUNCEMENT, b"a", volume_percent=20), reply)
    await play(speaker, Rank.REPLY, b"s")
    assert [(piece[:1], percent) for _, piece, percent in ear.played[::3]] == [(b"r", 50), (b"a", 20), (b"s", 50)]


@instant
async def test_its_own_words_are_known_while_they_sound_and_shortly_after() -> None:
    speaker = Loudspeaker(FakeEar())
    assert not speaker.says("alexa")
    saying = asyncio.create_task(speaker.play(Rank.REPLY, pieces(), 16000, text="Hey Jarvis is not Alexa"))
    await asyncio.sleep(2.0)
    assert speaker.says("hey_jarvis") and speaker.says("alexa") and not speaker.says("computer")
    await saying
    await asyncio.sleep(loudspeaker.OWN_ECHO_S - 0.1)
    assert speaker.says("alexa")
    await asyncio.sleep(0.2)
    assert not speaker.says("alexa")
