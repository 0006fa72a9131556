"""Letters between two texts, against the textbook's table."""

from __future__ import annotations

import random

import pytest

from appliance.engines.stt.letters import letters_apart


def _table(text: str, other: str) -> int:
    rows = [[max(i, j) for j in range(len(other) + 1)] for i in range(len(text) + 1)]
    for i, sign in enumerate(text, 1):
        for j, wanted in enumerate(other, 1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (sign != wanted))
    return rows[-1][-1]


@pytest.mark.parametrize(
    ("text", "other", "apart"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("latte", "lotay", 3), ("mocha", "mocco", 2), ("a b", "ab", 1)],
)
def test_letters_apart(text: str, other: str, apart: int) -> None:
    assert letters_apart(text, other) == apart


def test_as_the_table_says() -> None:
    rng = random.Random(7)
    for _ in range(500):
        text, other = ("".join(rng.choices("ab c", k=rng.randrange(12))) for _ in range(2))
        assert letters_apart(text, other) == _table(text, other)
