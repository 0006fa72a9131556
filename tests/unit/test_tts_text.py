"""Texts as they are written become pieces as they are said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.engines.tts.normalise import normalised
from appliance.engines.tts.phonemes import clauses, tokens_of
from appliance.engines.tts.sentences import (
    CUT,
    FIRST_S,
    JOINT_PAUSE_MS,
    SENTENCE_PAUSE_MS,
    SENTENCE_S,
    duration_s,
    pieces,
    started_early,
    whole_sentences,
)
from appliance.errors import ModelError


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Yes. No.", ["Yes.", "No."]),
        ("It is 7.5 degrees. Fine!", ["It is 7.5 degrees.", "Fine!"]),
        ("Dr. Smith called Mr. Jones at 7:30.", ["Dr. Smith called Mr. Jones at 7:30."]),
        ("It is 5 p.m. Dinner is ready.", ["It is 5 p.m.", "Dinner is ready."]),
        ("It is 5 p.m. now.", ["It is 5 p.m. now."]),
        ("Am 3. mai ist es so weit.", ["Am 3. mai ist es so weit."]),
        ("Bring milk, e.g. oat milk. Thanks", ["Bring milk, e.g. oat milk.", "Thanks"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Really?! Yes… Good.", ["Really?!", "Yes…", "Good."]),
        ("Plan B. Then C.", ["Plan B. Then C."]),
        ("One\nline. Two\nlines.", ["One\nline.", "Two\nlines."]),
        ("... !!! -- ", []),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [piece.text for piece in whole_sentences(text)] == sentences


def test_a_cut_mark_parts_constant_from_variable() -> None:
    found = whole_sentences(f"The timer has{CUT}five minutes{CUT}left. Bye.")
    assert [piece.text for piece in found] == ["The timer has", "five minutes", "left.", "Bye."]
    assert [piece.pause_ms for piece in found[:3]] == [JOINT_PAUSE_MS, JOINT_PAUSE_MS, SENTENCE_PAUSE_MS]


def test_a_long_first_sentence_starts_with_a_short_clause() -> None:
    found = pieces("The kitchen light is on, and the heating is set to ten degrees. " * 2, lambda _: False)
    assert duration_s(found[0].text) <= 1.5 * FIRST_S
    assert found[0].text == "The kitchen light is on,"
    assert found[-1].text == "The kitchen light is on, and the heating is set to ten degrees."


def test_a_sentence_that_is_kept_is_not_cut() -> None:
    text = "The kitchen light is on, and the heating is set to ten degrees."
    assert [piece.text for piece in pieces(text, lambda kept: kept == text)] == [text]


def test_a_short_sentence_is_left_whole() -> None:
    piece = whole_sentences("It is four o'clock.")[0]
    assert started_early(piece) == [piece]


@given(st.text(st.sampled_from("abcdefgh ,.;:!?-\x1f'1290%°äß日\n"), max_size=600))
def test_no_piece_is_empty_or_endless_and_no_word_is_lost(text: str) -> None:
    found = pieces(text, lambda _: False)
    assert all(piece.text.strip() and duration_s(piece.text) <= SENTENCE_S + 1e-6 for piece in found)
    wanted = [letter for letter in text if letter.isalnum()]
    assert [letter for piece in found for letter in piece.text if letter.isalnum()] == wanted


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "It is 7:30.", "It is 7 30."),
        ("en-US", "It is 7:05.", "It is 7 oh 5."),
        ("en", "At 12:00 and 0:00", "At 12 o'clock and midnight"),
        ("en", "At 7:30 p.m. sharp", "At 7 30 PM sharp"),
        ("en", "21.5 °C, 1°C, 50%", "21.5 degrees Celsius, 1 degree Celsius, 50 percent"),
        ("en", "1:2:3 and 10:75", "1:2:3 and 10:75"),
        ("de", "Um 7:30 Uhr sind es 5 °C.", "Um 7 Uhr 30 sind es 5 Grad Celsius."),
        ("de-DE", "Um 1:00, z.B. 50 %", "Um ein Uhr, zum Beispiel 50 Prozent"),
        ("fr", "Il est 7:30, 20%", "Il est 7 heures 30, 20 pour cent"),
        ("es", "Son las 7:30.", "Son las 7 y 30."),
        ("pl", "Jest 7:30.", "Jest 7:30."),
        ("en", "a\x00b \u200b **c**  🎉 d\n", "a b c d"),
        ("en", f"has{CUT}5%{CUT}left", f"has{CUT}5 percent{CUT}left"),
        (
            "en",
            "It is $3.50, $1, $0.50 or $2.5 million.",
            "It is 3 dollars and 50 cents, 1 dollar, 50 cents or 2.5 million dollars.",
        ),
        ("en", "£1,234.01 and 20 €", "1234 pounds and 1 penny and 20 euros"),
        ("en", "On 2026-11-27.", "On November twenty-seventh, 2026."),
        ("en", "2026-13-27 and 555-1234", "2026-13-27 and 555-1234"),
        ("en", "5–10 °C, 5-10 km, 10%–20%", "5 to 10 degrees Celsius, 5 to 10 kilometres, 10 percent to 20 percent"),
        ("en", "-5 °C and a well-known 7-Eleven", "minus 5 degrees Celsius and a well-known 7-Eleven"),
        (
            "en",
            "12,345.6 W, 3 m/s, 1 V, 2 kg, 1.5 kWh",
            "12345.6 watts, 3 metres per second, 1 volt, 2 kilograms, 1.5 kilowatt hours",
        ),
        ("en", "2 h 15 min 30 s", "2 hours 15 minutes 30 seconds"),
        ("en", "the 1st, 2nd and 31st", "the first, second and thirty-first"),
        ("en", "The TV and the LED at 7 PM, NASA", "The T V and the L E D at 7 PM, NASA"),
        ("en", "4 men, 5 mice, room 12a, 3D", "4 men, 5 mice, room 12a, 3D"),
        ("de", "Es kostet 3,50 € und 12.345,6 m.", "Es kostet 3 Euro 50 und 12345,6 Meter."),
        ("de", "Am 2026-11-27 sind es 5–10 °C.", "Am 27. November 2026 sind es 5 bis 10 Grad Celsius."),
        ("fr", "Il fait 5–10 °C", "Il fait 5–10 degrés Celsius"),
    ],
)
def test_normalised(language: str, text: str, said: str) -> None:
    assert normalised(text, language) == said


def test_clauses_keep_their_punctuation() -> None:
    assert clauses("Yes, at 7:30; 3.5 left?! Good…") == [
        ("Yes", ","),
        ("at 7:30", ";"),
        ("3.5 left", "!"),
        ("Good", "."),
    ]


def test_phonemes_become_numbers_with_a_blank_between_and_begin_and_end_marks(tmp_path: Path) -> None:
    table = tmp_path / "tokens.txt"
    table.write_text("_ 0\n^ 1\n$ 2\n  3\na 14\nb 15\n", encoding="utf-8")
    tokens = tokens_of(table)
    assert tokens.of("a b").tolist() == [1, 0, 14, 0, 3, 0, 15, 0, 2]
    assert tokens.symbols == set("_^$ ab")
    for broken in ("a 14\n", "_ 0\n^ one\n$ 2\n  3\n"):
        table.write_text(broken, encoding="utf-8")
        with pytest.raises(ModelError, match=r"tokens\.txt"):
            tokens_of(table)
