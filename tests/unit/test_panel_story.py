"""In: happenings with given times. Out: the state that is shown, by priority, and what is known of it."""

from __future__ import annotations

import itertools

import pytest

from appliance.events import (
    EngineChanged,
    Hearing,
    HearingChanged,
    LevelMeasured,
    PartialHeard,
    State,
    StateChanged,
    TimerChanged,
    TurnStarted,
    VolumeChanged,
    WakeDetected,
)
from appliance.panel.arbiter import Arbiter
from appliance.panel.story import Story

ORDER = (
    "updating starting button volume timer_ringing listening thinking replying error not_ready timer_running muted idle"
)


def test_priorities_are_those_of_the_field() -> None:
    assert " ".join(State) == ORDER


@pytest.mark.parametrize(("more", "less"), tuple(itertools.pairwise(State)))
def test_the_more_urgent_state_is_shown_whichever_began_first(more: State, less: State) -> None:
    for first, second in ((more, less), (less, more)):
        arbiter = Arbiter()
        arbiter.hold(first, 1.0)
        arbiter.hold(second, 2.0)
        assert arbiter.top(3.0).state is more
        arbiter.release(more, 10.0)
        assert arbiter.top(11.0).state is less


def test_an_error_is_seen_even_if_it_ends_at_once() -> None:
    arbiter = Arbiter()
    arbiter.hold(State.ERROR, 5.0)
    arbiter.release(State.ERROR, 5.01)
    assert arbiter.top(6.0).state is State.ERROR
    assert arbiter.next_s() == pytest.approx(6.2)
    assert arbiter.top(6.3).state is State.IDLE


def _states(story: Story, *times_s: float) -> list[State]:
    return [story.scene(time_s)[0].state for time_s in times_s]


def test_a_wake_word_lights_up_before_the_turn_begins_and_waits_for_it() -> None:
    story = Story()
    assert story.take(WakeDetected(at_s=10.0, wake_word="alexa", score=0.9, direction_deg=120.0))
    scene, t_s = story.scene(10.001)
    assert (scene.state, scene.direction_deg) == (State.LISTENING, 120.0)
    assert t_s == pytest.approx(0.001)
    assert _states(story, 11.5) == [State.IDLE], "no turn came"


def test_a_turn_keeps_its_direction_and_its_beginning() -> None:
    story = Story()
    story.take(WakeDetected(at_s=10.0, wake_word="alexa", score=0.9, direction_deg=120.0))
    story.take(TurnStarted(at_s=10.02, turn="t1", cause="wake"))
    story.take(StateChanged(at_s=10.03, state=State.LISTENING))
    scene, t_s = story.scene(12.0)
    assert (scene.state, scene.direction_deg, round(t_s, 3)) == (State.LISTENING, 120.0, 2.0)
    story.take(StateChanged(at_s=13.0, state=State.LISTENING, on=False))
    story.take(TurnStarted(at_s=14.0, turn="t2", cause="button"))
    story.take(StateChanged(at_s=14.0, state=State.LISTENING))
    assert story.scene(14.1)[0].direction_deg is None, "a button has no direction"


def test_level_rises_at_once_and_falls_slowly_and_words_speed_the_spin() -> None:
    story = Story()
    story.take(StateChanged(at_s=1.0, state=State.LISTENING))
    assert not story.take(LevelMeasured(at_s=1.1, level_dbfs=-15.0)), "a level alone draws nothing"
    assert story.scene(1.1)[0].level == 1.0
    assert 0.3 < story.scene(1.3)[0].level < 0.6
    assert story.scene(2.0)[0].level == 0.0
    assert story.scene(2.0)[0].heard_s is None
    story.take(PartialHeard(at_s=2.0, turn="t1", text="set", audio_ms=300))
    assert story.scene(2.5)[0].heard_s == pytest.approx(0.5)


def test_volume_shows_for_two_seconds_over_a_reply() -> None:
    story = Story()
    story.take(StateChanged(at_s=1.0, state=State.REPLYING))
    story.take(VolumeChanged(at_s=2.0, percent=40))
    assert story.scene(2.1)[0].value == pytest.approx(0.4)
    assert _states(story, 2.1, 3.9, 4.1) == [State.VOLUME, State.VOLUME, State.REPLYING]


def test_the_next_timer_counts_down() -> None:
    story = Story()
    for name, left_s in (("t1", 600.0), ("t2", 60.0)):
        story.take(TimerChanged(at_s=10.0, timer=name, change="started", name=None, remaining_s=left_s, total_s=left_s))
    story.take(StateChanged(at_s=10.0, state=State.TIMER_RUNNING, value=1.0))
    assert story.scene(40.0)[0].value == pytest.approx(0.5)
    story.take(TimerChanged(at_s=41.0, timer="t2", change="cancelled", name=None, remaining_s=0.0, total_s=60.0))
    assert story.scene(310.0)[0].value == pytest.approx(0.5)


def test_deaf_and_broken_show_after_a_moment_muted_is_neither() -> None:
    story = Story()
    story.take(HearingChanged(at_s=1.0, hearing=Hearing.DEAF, reason="unplugged"))
    assert story.next_s(1.0) == pytest.approx(2.5)
    assert _states(story, 1.1, 2.6) == [State.IDLE, State.NOT_READY]
    assert story.scene(2.7)[0].reason == "deaf"
    story.take(HearingChanged(at_s=3.0, hearing=Hearing.HEARING))
    assert _states(story, 3.1) == [State.IDLE]
    story.take(EngineChanged(at_s=4.0, engine="stt", change="died"))
    story.take(EngineChanged(at_s=4.8, engine="stt", change="ready"))
    assert _states(story, 6.0) == [State.IDLE], "replaced within the grace"
    story.take(EngineChanged(at_s=7.0, engine="stt", change="breaker_open"))
    assert story.scene(9.0)[0].reason is None
    assert _states(story, 9.0) == [State.NOT_READY]
    story.take(HearingChanged(at_s=10.0, hearing=Hearing.MUTED))
    story.take(EngineChanged(at_s=10.0, engine="stt", change="ready"))
    story.take(StateChanged(at_s=10.0, state=State.MUTED))
    assert _states(story, 20.0) == [State.MUTED]


def test_the_finger_fills_and_the_countdown_drains() -> None:
    story = Story()
    story.finger(1.0, 1.0)
    assert story.scene(1.5)[0].value == pytest.approx(0.5)
    story.finger_off(1.6)
    story.finger(2.0, 10.0, draining=True)
    scene, _ = story.scene(5.0)
    assert (scene.reason, scene.value) == ("reset", pytest.approx(0.7))
