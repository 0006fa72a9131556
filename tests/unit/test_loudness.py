"""In: samples in pieces of any length. Out: whether something was said in them."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engines.stt.loudness import BLOCK, is_quiet

TONE = (0.1 * np.sin(np.arange(4 * BLOCK) / 5)).astype(np.float32)


@pytest.mark.parametrize("length", [1 + BLOCK // 2, BLOCK, BLOCK + 1, 4 * BLOCK])
def test_a_voice_is_heard_in_pieces_shorter_and_longer_than_a_block(length: int) -> None:
    assert not is_quiet(TONE[:length])
    assert is_quiet(TONE[:length] / 100)


def test_nothing_is_quiet() -> None:
    assert is_quiet(TONE[:0])
