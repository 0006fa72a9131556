"""In: edges on a fake clock. Out: gestures; bounces, stuck contacts and power-up included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.panel.gestures import TOLD, Gesture, Gestures


class Finger:
    """A finger with a clock. Gestures come with the time at which they were known."""

    def __init__(self, hold_to_talk: bool = False, power_up: bool | None = None) -> None:
        self.gestures = Gestures(hold_to_talk)
        self.now_s = 100.0
        self.felt: list[tuple[Gesture, float]] = []
        if power_up is not None:
            self._note(self.gestures.begin(power_up, self.now_s))

    def _note(self, found: list[Gesture]) -> None:
        self.felt += [(gesture, round(self.now_s - 100.0, 3)) for gesture in found]

    def wait(self, seconds: float) -> Finger:
        """Time passes; whatever falls due on the way is done at its time."""
        end_s = self.now_s + seconds
        while (due_s := self.gestures.due_s()) is not None and due_s <= end_s:
            assert due_s >= self.now_s - 1e-6, "due in the past: the loop would spin"
            self.now_s = max(self.now_s, due_s)
            self._note(self.gestures.tick(self.now_s))
        self.now_s = end_s
        return self

    def edge(self, pressed: bool) -> Finger:
        self._note(self.gestures.edge(pressed, self.now_s))
        return self

    def press(self, seconds: float) -> Finger:
        return self.edge(True).wait(seconds).edge(False)

    @property
    def told(self) -> list[Gesture]:
        return [gesture for gesture, _ in self.felt if gesture in TOLD]


@pytest.mark.parametrize(("presses", "gesture"), [(1, Gesture.SINGLE), (2, Gesture.DOUBLE), (3, Gesture.TRIPLE)])
def test_short_presses_are_counted(presses: int, gesture: Gesture) -> None:
    finger = Finger()
    for _ in range(presses):
        finger.press(0.1).wait(0.15)
    assert finger.wait(1.0).told == [gesture]


def test_single_is_known_when_the_gap_is_over_and_down_at_once() -> None:
    felt = dict(Finger().press(0.1).wait(1.0).felt)
    assert felt[Gesture.DOWN] == 0.02
    assert felt[Gesture.SINGLE] == pytest.approx(0.35)


def test_presses_further_apart_than_the_gap_are_two() -> None:
    assert Finger().press(0.1).wait(0.3).press(0.1).wait(1.0).told == [Gesture.SINGLE, Gesture.SINGLE]


def test_a_fourth_press_begins_anew() -> None:
    finger = Finger()
    for _ in range(4):
        finger.press(0.08).wait(0.1)
    assert finger.wait(1.0).told == [Gesture.TRIPLE, Gesture.SINGLE]


def test_long_mutes_while_the_finger_is_still_down() -> None:
    finger = Finger().edge(True).wait(1.5)
    assert (Gesture.LONG, 1.0) in finger.felt
    assert finger.edge(False).wait(1.0).told == [Gesture.LONG]


def test_a_short_and_a_long_press_are_long() -> None:
    assert Finger().press(0.1).wait(0.1).press(1.2).wait(1.0).told == [Gesture.LONG]


def test_holding_talks_where_that_is_wished() -> None:
    finger = Finger(hold_to_talk=True).press(3.0).wait(1.0)
    assert finger.told == [Gesture.HOLD, Gesture.RELEASE]
    assert dict(finger.felt)[Gesture.HOLD] == 0.25


def test_a_short_press_stays_a_press_where_holding_talks() -> None:
    assert Finger(hold_to_talk=True).press(0.1).wait(1.0).told == [Gesture.SINGLE]


def test_contact_bounce_is_one_press() -> None:
    finger = Finger()
    for _ in range(4):
        finger.edge(True).wait(0.002).edge(False).wait(0.002)
    finger.press(0.1)
    for _ in range(4):
        finger.wait(0.002).edge(True).wait(0.002).edge(False)
    assert finger.wait(1.0).told == [Gesture.SINGLE]


def test_200_bounces_a_second_do_nothing_and_are_reported_once() -> None:
    finger = Finger()
    for _ in range(400):  # two seconds
        finger.edge(True).wait(0.0025).edge(False).wait(0.0025)
    assert finger.told == []
    assert [gesture for gesture, _ in finger.felt] == [Gesture.BOUNCING]
    assert finger.wait(1.0).press(0.1).wait(1.0).told == [Gesture.SINGLE], "and the button works again afterwards"


def test_a_stuck_button_mutes_once_and_is_reported_once() -> None:
    finger = Finger().edge(True).wait(3600.0)
    assert [gesture for gesture, _ in finger.felt] == [Gesture.DOWN, Gesture.LONG, Gesture.STUCK]
    assert finger.gestures.due_s() is None, "nothing wakes the loop for a stuck button"


def test_ten_seconds_at_power_up_reset_when_the_finger_lets_go() -> None:
    finger = Finger(power_up=True).wait(10.5)
    assert [gesture for gesture, _ in finger.felt] == [Gesture.COUNTDOWN]
    assert [gesture for gesture, _ in finger.edge(False).wait(1.0).felt][1:] == [Gesture.UP, Gesture.RESET]
    assert finger.press(0.1).wait(1.0).told == [Gesture.SINGLE]


@pytest.mark.parametrize("held_s", [0.5, 2.0, 9.9])
def test_less_at_power_up_does_nothing(held_s: float) -> None:
    finger = Finger(power_up=True).wait(held_s).edge(False).wait(1.0)
    assert [gesture for gesture, _ in finger.felt] == [Gesture.COUNTDOWN, Gesture.UP]


def test_a_button_stuck_since_power_up_resets_nothing() -> None:
    finger = Finger(power_up=True).wait(60.0).edge(False).wait(1.0)
    assert [gesture for gesture, _ in finger.felt] == [Gesture.COUNTDOWN, Gesture.STUCK, Gesture.UP]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0005, 3.0)), max_size=80), st.booleans())
def test_no_rhythm_confuses_it(edges: list[tuple[bool, float]], hold_to_talk: bool) -> None:
    """Whatever the line does, at rest the machine is up and a press is a press."""
    finger = Finger(hold_to_talk)
    for pressed, seconds in edges:
        finger.edge(pressed).wait(seconds)
    finger.edge(False).wait(2.0)
    assert finger.gestures.due_s() is None
    before = len(finger.told)
    assert finger.press(0.1).wait(1.0).told[before:] == [Gesture.SINGLE]
