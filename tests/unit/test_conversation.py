"""The conversation among fakes, on a clock that jumps: who is heard, who waits, who is ended, and who is told."""

from __future__ import annotations

import asyncio

import pytest

from appliance.actions.plan import Plan
from appliance.conversation.context import Trigger
from appliance.conversation.conversation import MOST_ANNOUNCEMENTS, UNWIND_S
from appliance.conversation.machine import Phase
from appliance.errors import ActionError, PlayError
from appliance.events import Outcome, State, StateChanged, TurnEnded, TurnStarted, WakeDetected
from appliance.intents.interpretation import Interpretation, Question
from tests.clock import instant, settle
from tests.fakes import Room


def outcomes(room: Room) -> list[Outcome]:
    return [record.outcome for record in room.conversation.records]


# -- a turn -------------------------------------------------------------------------------------------------------


@instant
async def test_a_turn_goes_through_its_phases_and_ends_idle() -> None:
    async with Room() as room:
        room.ear.detect("alexa", at_ms=0)
        await room.ear.say_a_command()
        await asyncio.sleep(5.0)
        assert room.said == ["HassGetCurrentTime"]
        assert room.conversation.phase is Phase.IDLE and not room.ear.open
    shown = [(event.state, event.on) for event in room.events if isinstance(event, StateChanged)]
    assert [state for state, on in shown if on and state is not State.ERROR] == [
        State.LISTENING, State.THINKING, State.REPLYING, State.IDLE,
    ]  # fmt: skip
    assert {state for state, on in shown if not on} >= {State.LISTENING, State.THINKING, State.REPLYING}
    record = room.conversation.records[0]
    assert (record.outcome, record.cause, record.intent) == (Outcome.ANSWERED, "wake", "HassGetCurrentTime")
    kinds = [type(event) for event in room.events]
    assert kinds.index(WakeDetected) < kinds.index(TurnStarted) < kinds.index(TurnEnded)


@instant
async def test_who_said_nothing_is_told_so() -> None:
    async with Room() as room:
        room.conversation.open(Trigger("button"))
        await settle()
        await room.ear.be_silent(7000)
        await asyncio.sleep(5.0)
        assert outcomes(room) == [Outcome.NO_SPEECH] and room.said == ["sorry: no_speech"]


@instant
async def test_a_microphone_that_gives_nothing_ends_the_turn() -> None:
    async with Room() as room:
        room.conversation.open(Trigger("button"))
        await asyncio.sleep(10.0)
        assert outcomes(room) == [Outcome.FAILED] and room.said == ["sorry: failed_listen"]
        assert room.conversation.phase is Phase.IDLE


@instant
async def test_an_error_of_code_ends_the_turn_only_even_inside_the_apology() -> None:
    async with Room() as room:
        room.agent.broken = ZeroDivisionError("a bug")
        room.agent.apology = lambda reason: str(1 // 0)  # type: ignore[method-assign]
        room.conversation.command("what time is it")
        await asyncio.sleep(1.0)
        assert outcomes(room) == [Outcome.FAILED] and room.conversation.phase is Phase.IDLE
        room.agent.broken = None
        room.conversation.command("what time is it")
        await asyncio.sleep(5.0)
        assert outcomes(room)[-1] is Outcome.ANSWERED


@instant
async def test_where_no_voice_is_there_the_tone_has_to_do() -> None:
    async with Room() as room:
        room.voice.broken = True
        room.conversation.command("what time is it")
        await asyncio.sleep(5.0)
        assert outcomes(room) == [Outcome.FAILED] and room.said == ["reply"], "the error tone"


# -- fault 1: stop and barge-in, whatever the device is at ----------------------------------------------------------


@instant
async def test_stop_while_thinking_ends_the_turn() -> None:
    async with Room() as room:
        await room.thinks()
        assert room.conversation.phase is Phase.THINKING
        assert room.conversation.stop()
        await asyncio.sleep(0.01)
        assert room.conversation.phase is Phase.IDLE
        assert room.said == [] and outcomes(room) == [Outcome.CANCELLED]


@instant
async def test_who_speaks_while_the_device_thinks_is_heard_at_once() -> None:
    async with Room() as room:
        await room.thinks()
        room.ear.detect("alexa")
        await asyncio.sleep(0.01)
        assert room.conversation.listening and room.ear.open and len(room.ear.opened) == 2
        assert outcomes(room) == [Outcome.CANCELLED]


@instant
async def test_barge_in_silences_the_reply_and_opens_a_turn() -> None:
    async with Room() as room:
        await room.speaks()
        assert room.conversation.speaking
        room.ear.detect("alexa")
        await asyncio.sleep(0.01)
        assert room.ear.sounding == [] and room.conversation.listening and room.voice.sayings[0].closed
        assert outcomes(room) == [Outcome.ANSWERED]


@pytest.mark.parametrize("phase", [Phase.LISTENING, Phase.THINKING, Phase.SPEAKING, Phase.ANNOUNCING, Phase.RINGING])
@instant
async def test_stop_means_the_same_everywhere(phase: Phase) -> None:
    async with Room() as room:
        announced: asyncio.Task[bool] | None = None
        match phase:
            case Phase.LISTENING:
                room.conversation.open(Trigger("button"))
            case Phase.THINKING:
                await room.thinks()
            case Phase.SPEAKING:
                await room.speaks()
            case Phase.ANNOUNCING:
                room.voice.length_s = 60.0
                announced = asyncio.create_task(room.conversation.announce("Dinner is ready."))
            case _:
                room.agent.timers_ring = True
                room.conversation.ring()
        await asyncio.sleep(0.1)
        assert room.conversation.phase is phase
        room.agent.timers_ring = True
        assert room.conversation.stop()
        await asyncio.sleep(0.01)
        assert room.conversation.phase is Phase.IDLE and room.ear.sounding == [] and not room.agent.timers_ring
        assert announced is None or await announced is False
        assert not room.conversation.stop(), "nothing is left to stop"


@instant
async def test_stop_drops_the_turn_that_waits_to_be_opened() -> None:
    async with Room() as room:
        await room.speaks()
        room.conversation.open(Trigger("button"))
        assert room.conversation.stop()
        await asyncio.sleep(1.0)
        assert room.conversation.phase is Phase.IDLE and room.ear.opened == []


@instant
async def test_what_does_not_end_when_cancelled_holds_nobody_up() -> None:
    async with Room() as room:

        async def stubborn() -> Plan | None:
            while True:
                try:
                    await asyncio.sleep(3600.0)
                except asyncio.CancelledError:
                    if room.ear.opened:  # ends at last
                        raise

        room.agent.acts("HassGetCurrentTime", stubborn)
        room.conversation.command("what time is it")
        await asyncio.sleep(0.1)
        room.conversation.open(Trigger("button"))
        await asyncio.sleep(UNWIND_S + 0.1)
        assert room.conversation.listening


@instant
async def test_hush_lets_a_turn_that_listens_go_on() -> None:
    async with Room() as room:
        room.conversation.open(Trigger("button"))
        await settle()
        assert not room.conversation.hush() and room.conversation.listening
        room.conversation.stop()
        await room.speaks()
        assert room.conversation.hush()
        await settle()
        assert room.conversation.phase is Phase.IDLE


@instant
async def test_only_a_turn_that_listens_yields() -> None:
    async with Room() as room:
        room.conversation.open(Trigger("button"))
        await settle()
        assert room.conversation.stop_listening()
        await settle()
        assert outcomes(room) == [Outcome.CANCELLED] and room.said == []
        await room.speaks()
        assert not room.conversation.stop_listening() and room.conversation.speaking


@instant
async def test_the_word_stop_in_a_sentence_is_part_of_it() -> None:
    async with Room() as room:
        room.conversation.open(Trigger("button"))
        await settle()
        room.ear.detect("stop")
        await settle()
        assert room.conversation.listening
        room.conversation.stop()
        await settle()
        await room.thinks()
        room.ear.detect("stop", at_ms=room.ear.at_ms - 1200)
        assert room.conversation.phase is Phase.THINKING, "detected late: it was said before the end of speech"
        room.ear.detect("stop", at_ms=room.ear.at_ms + 500)
        await settle()
        assert room.conversation.phase is Phase.IDLE


@instant
async def test_its_own_voice_wakes_nothing() -> None:
    async with Room() as room:
        room.voice.length_s = 60.0
        room.agent.plans["HassGetCurrentTime"] = Plan("My name is not Alexa, and I do not stop.")
        room.conversation.command("what time is it")
        await asyncio.sleep(0.1)
        for word in ("alexa", "stop"):
            room.ear.detect(word)
        await settle()
        assert room.conversation.speaking
    assert not any(isinstance(event, WakeDetected) for event in room.events)


@instant
async def test_a_finger_let_go_before_the_turn_began_opens_none() -> None:
    async with Room() as room:
        await room.speaks()
        room.conversation.open(Trigger("button", held=True))
        room.conversation.let_go(ended=True)
        await asyncio.sleep(0.1)
        assert room.ear.opened == []


@instant
async def test_a_held_turn_ends_with_the_finger() -> None:
    async with Room() as room:
        room.conversation.open(Trigger("button", held=True))
        await settle()
        await room.ear.speak(1000)
        await room.ear.be_silent(3000)
        assert room.conversation.listening, "silence ends nothing while the finger is down"
        room.conversation.let_go(ended=True)
        await room.ear.be_silent(300)
        await asyncio.sleep(5.0)
        assert outcomes(room) == [Outcome.ANSWERED]


# -- fault 2: one loudspeaker ---------------------------------------------------------------------------------------


@instant
async def test_an_announcement_interrupts_the_alarm_which_goes_on_afterwards() -> None:
    async with Room() as room:
        room.agent.timers_ring = True
        room.conversation.ring()
        await asyncio.sleep(0.5)
        assert await room.conversation.announce("Dinner is ready.")
        await asyncio.sleep(1.0)
        assert room.conversation.phase is Phase.RINGING
        assert room.said[:3] == ["alarm", "Dinner is ready.", "alarm"] and room.ear.most_at_once == 1


@instant
async def test_the_alarm_waits_for_an_announcement_and_for_a_reply() -> None:
    async with Room() as room:
        saying = asyncio.create_task(room.conversation.announce("Dinner is ready.", chime=True))
        await asyncio.sleep(0.6)
        room.agent.timers_ring = True
        room.conversation.ring()
        assert await saying and room.ear.most_at_once == 1
        await settle()
        assert room.conversation.phase is Phase.RINGING
        room.conversation.command("what time is it")
        await asyncio.sleep(2.5)
        assert room.said == ["reply", "Dinner is ready.", "alarm", "HassGetCurrentTime", "alarm"]
        assert room.ear.most_at_once == 1


@instant
async def test_the_alarm_sounds_until_timers_are_silenced() -> None:
    async with Room() as room:
        room.agent.timers_ring = True
        room.conversation.ring()
        await asyncio.sleep(10.0)
        assert room.said.count("alarm") > 4
        assert room.conversation.hush() and not room.agent.timers_ring
        await settle()
        count = len(room.said)
        await asyncio.sleep(10.0)
        assert len(room.said) == count and room.conversation.phase is Phase.IDLE


@instant
async def test_an_alarm_without_a_loudspeaker_is_tried_again() -> None:
    async with Room() as room:
        room.ear.broken = PlayError("card", "The card is gone.")
        room.agent.timers_ring = True
        room.conversation.ring()
        await asyncio.sleep(10.0)
        assert room.said == [] and room.conversation.phase is Phase.RINGING
        room.ear.broken = None
        await asyncio.sleep(3.0)
        assert "alarm" in room.said


@instant
async def test_who_announces_is_told_how_it_ended() -> None:
    async with Room() as room:
        assert await room.conversation.announce("Dinner is ready.") is True
        room.voice.length_s = 60.0
        saying = asyncio.create_task(room.conversation.announce("A long story."))
        await asyncio.sleep(1.0)
        room.ear.detect("alexa")
        assert await saying is False
        room.conversation.stop()
        await settle()
        room.ear.broken = PlayError("card", "The card is gone.")
        with pytest.raises(PlayError, match="gone"):
            await room.conversation.announce("Dinner is ready.")
        await settle()
        assert room.conversation.phase is Phase.IDLE


@instant
async def test_announcements_wait_for_the_turn_and_are_bounded() -> None:
    async with Room() as room:
        await room.speaks(length_s=2.0)
        waiting = [asyncio.create_task(room.conversation.announce(f"n{n}")) for n in range(MOST_ANNOUNCEMENTS)]
        await settle()
        with pytest.raises(PlayError) as refused:
            await room.conversation.announce("one more")
        assert refused.value.code == "busy"
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert room.said == ["HassGetCurrentTime", *(f"n{n}" for n in range(MOST_ANNOUNCEMENTS) if n != 1)]


@instant
async def test_who_goes_away_takes_the_announcement_along() -> None:
    async with Room() as room:
        room.voice.length_s = 60.0
        saying = asyncio.create_task(room.conversation.announce("A long story."))
        await asyncio.sleep(1.0)
        saying.cancel()
        await settle()
        assert room.conversation.phase is Phase.IDLE and room.ear.sounding == []


@instant
async def test_a_timers_command_waits_for_the_person() -> None:
    async with Room() as room:
        room.agent.meanings["good night"] = Interpretation("GoodNight")
        room.conversation.open(Trigger("button"))
        await settle()
        room.conversation.command("good night")
        room.conversation.command("good night")
        await room.ear.say_a_command()
        await asyncio.sleep(10.0)
        assert room.said == ["HassGetCurrentTime", "GoodNight", "GoodNight"], "each command is carried out"


# -- faults 8, 9 and 11 ---------------------------------------------------------------------------------------------


async def _prepare(room: Room, final: float | None, partial: float = 0.9) -> None:
    room.recogniser.partial = ("what time is it", partial)
    room.recogniser.confidence = final
    room.conversation.open(Trigger("button"))
    await room.ear.say_a_command()
    await asyncio.sleep(5.0)


@instant
async def test_speech_prepared_ahead_is_used_for_the_same_reading() -> None:
    async with Room() as room:
        await _prepare(room, 0.9)
        assert room.said == ["HassGetCurrentTime"] and len(room.voice.sayings) == 1
        assert room.conversation.records[0].prepared == "hit"


@instant
async def test_the_confidence_of_the_final_text_decides() -> None:
    async with Room(flush=False) as room:
        await _prepare(room, 0.02)
        assert outcomes(room) == [Outcome.NOT_UNDERSTOOD] and room.said == ["sorry: not_understood"]
        assert room.voice.sayings[0].text == "HassGetCurrentTime" and room.voice.sayings[0].closed


@instant
async def test_speech_prepared_ahead_is_closed_when_the_action_fails() -> None:
    async def fail() -> Plan | None:
        raise ActionError("away", "The lamp does not answer.")

    async with Room() as room:
        room.agent.acts("HassGetCurrentTime", fail)
        await _prepare(room, 0.9)
        assert outcomes(room) == [Outcome.FAILED] and room.said == ["sorry: failed_action"]
        assert room.voice.sayings[0].text == "done" and room.voice.sayings[0].closed


@instant
async def test_an_action_is_done_once_and_its_answer_replaces_the_reply() -> None:
    async with Room() as room:

        async def act() -> Plan | None:
            room.agent.acted.append("act")
            return Plan("it was on already")

        room.agent.acts("HassGetCurrentTime", act)
        await _prepare(room, 0.9)
        assert room.agent.acted == ["act"] and room.said == ["it was on already"]
        assert all(saying.closed for saying in room.voice.sayings)


@instant
async def test_a_loudness_asked_for_an_announcement_leaves_the_reply_alone() -> None:
    async with Room() as room:
        await room.speaks(length_s=2.0)
        assert await room.conversation.announce("Dinner is ready.", volume_percent=20)
        assert [percent for _, _, percent in room.ear.played] == [50, 20] and room.ear.volumes["reply"] == 50


# -- follow-ups -----------------------------------------------------------------------------------------------------


def _asks(room: Room) -> None:
    question = Interpretation("Ask", question=Question("area", ("kitchen", "bedroom")))
    room.agent.plans["HassGetCurrentTime"] = Plan("which one", ask=True, question=question)


@instant
async def test_a_question_is_listened_for_so_many_times() -> None:
    async with Room(follow_up_turns=2) as room:
        _asks(room)
        room.conversation.command("what time is it")
        for _ in range(4):
            await asyncio.sleep(3.0)
            if room.conversation.listening:
                await room.ear.say_a_command()
        assert [record.cause for record in room.conversation.records] == ["command", "follow_up", "follow_up"]


@instant
async def test_a_question_that_was_cut_is_not_waited_for() -> None:
    async with Room() as room:
        _asks(room)
        await room.speaks()
        room.conversation.stop()
        await asyncio.sleep(1.0)
        assert room.conversation.phase is Phase.IDLE and room.ear.opened == []


@instant
async def test_what_came_before_the_conversation_runs_is_not_lost() -> None:
    room = Room()
    room.conversation.command("what time is it")
    async with room:
        await asyncio.sleep(5.0)
        assert room.said == ["HassGetCurrentTime"]
