"""Speech starts and ends where it is heard."""

from __future__ import annotations

import numpy as np

from appliance.engines.tts.trim import AUDIBLE, ONSET_MS, TAIL_MS, silence, trimmed

RATE_HZ = 22050


def _tone(seconds: float, peak: int) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * 300 * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.int16)


def test_silence_around_is_cut_and_the_onset_kept() -> None:
    hiss = np.random.default_rng(1).integers(-60, 60, RATE_HZ // 5).astype(np.int16)
    tone = _tone(0.5, 8000)
    cut = trimmed(np.concatenate([hiss, tone, hiss]), RATE_HZ)
    heard = int(np.flatnonzero(np.abs(cut) >= AUDIBLE)[0])
    assert heard <= RATE_HZ * (ONSET_MS + 1) // 1000
    assert abs(len(cut) - len(tone)) <= RATE_HZ * (ONSET_MS + TAIL_MS + 2) // 1000
    middle = cut[heard : heard + len(tone) // 2]
    at = int(np.flatnonzero(np.abs(tone) >= AUDIBLE)[0])
    assert np.array_equal(middle, tone[at : at + len(middle)])


def test_ends_fade_to_nothing() -> None:
    noise = np.concatenate([_tone(0.3, 12000), np.full(RATE_HZ, 100, np.int16)])
    assert abs(int(trimmed(noise, RATE_HZ)[-1])) <= 5


def test_nothing_audible_is_nothing() -> None:
    assert len(trimmed(np.full(1000, AUDIBLE - 1, np.int16), RATE_HZ)) == 0
    assert len(trimmed(np.zeros(0, np.int16), RATE_HZ)) == 0


def test_the_loudest_negative_sample_is_loud() -> None:
    assert len(trimmed(np.full(100, -32768, np.int16), RATE_HZ)) == 100


def test_a_pause_has_its_length() -> None:
    assert len(silence(220, 22050)) == 4851
