"""In: made-up frames and readings. Out: what a sentence leaves unexplained."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engines.stt.alignment import Way
from appliance.engines.stt.unexplained import only_numbers_differ, turning_words, unexplained


def way(own: list[float], loudest: list[float], said: list[int]) -> Way:
    """A way whose blank is as likely as can be (natural log 0)."""
    size = len(own)
    return Way(
        np.array(own, np.float32),
        np.zeros(size, np.float32),
        np.array(loudest, np.float32),
        np.array([at in said for at in range(size)]),
    )


def test_a_run_of_speech_between_two_pieces_counts_as_skipped() -> None:
    ours = way([0.0] * 6, [-5, 1.5, 2.0, -5, 1.0, -5], said=[0, 3])
    assert unexplained(ours, ours).skipped == pytest.approx(3.5)


def test_what_is_said_is_not_skipped_and_parts_the_runs() -> None:
    ours = way([0.0] * 3, [1.0, 9.0, 2.0], said=[1])
    assert unexplained(ours, ours).skipped == pytest.approx(2.0)


def test_frames_where_the_blank_is_likelier_part_the_runs() -> None:
    ours = way([0.0] * 3, [1.0, -0.1, 2.0], said=[])
    assert unexplained(ours, ours).skipped == pytest.approx(2.0)


def test_the_stretch_is_the_worst_one_and_not_the_whole() -> None:
    ours = way([-1, -4, -4, 0], [-9] * 4, said=[])
    rival = way([-3, -1, -1, -5], [-9] * 4, said=[])
    assert unexplained(ours, rival).stretch == pytest.approx(6.0)
    assert unexplained(rival, rival).stretch == 0.0


def test_a_word_that_turns_the_meaning_counts_where_the_sentence_lacks_it() -> None:
    said = "turn off the kitchen light"
    assert turning_words(said, "dont turn off the kitchen lite", "dont turn off the kitchen light") == 1.0
    assert turning_words(said, "dont turn off the kitchen lite", said) == 0.5
    assert turning_words(said, "turn off the chicken light", said) == 0.0
    assert turning_words("dont listen", "dont listen", "dont listen") == 0.0


def test_another_number_counts_only_beside_a_number() -> None:
    assert turning_words("set a timer for thirteen minutes", "timer for thirty minutes", "for thirty minutes") == 1.0
    assert turning_words("pause the timer", "pause the timer one", "pause the timer one") == 0.0


def test_a_turning_word_heard_for_another_word_is_a_mishearing() -> None:
    said, heard = "add two minutes to the timer", "but two minutes to the time"
    assert turning_words(said, heard, heard) == 0.0
    assert turning_words("a timer for five minutes", "a timer four five minutes", "a timer for five minutes") == 0.0
    assert turning_words("a timer for five minutes", "a timer for five ten minutes", "a timer for five minutes") == 0.5


def test_sentences_that_differ_in_numbers_only() -> None:
    assert only_numbers_differ("a timer for fifteen minutes", "a timer for fifty minutes")
    assert not only_numbers_differ("a timer for fifteen minutes", "a timer for fifteen minutes")
    assert not only_numbers_differ("a timer for fifteen minutes", "a timer for fifty seconds")
    assert not only_numbers_differ("lamp one", "lamp one on")
