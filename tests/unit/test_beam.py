"""The array front end: spectra, channel faults, the beam on who said the word, the wake words' best beam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from appliance.app import array_map
from appliance.engines.sound.beam.array import WAKE_BEAMS_DEG, MicrophoneArray
from appliance.engines.sound.beam.channels import PATIENCE_S, ChannelWatch, Fault
from appliance.engines.sound.beam.direction import Directions
from appliance.engines.sound.beam.spectra import LATENCY, Analysis, Synthesis
from appliance.engines.sound.beam.wake import BeamWake
from appliance.engines.sound.capture.ring import Ring
from appliance.errors import SettingsError
from appliance.replay.recording import load
from appliance.wire.array import ArrayMap

RATE = 16000
SQUARE = ((0.0226, 0.0226), (-0.0226, 0.0226), (-0.0226, -0.0226), (0.0226, -0.0226))


def wave(source: np.ndarray, degrees: float) -> np.ndarray:
    """A plane wave from `degrees` (clockwise from the mark) at the SQUARE: (samples, 4)."""
    towards = np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    earlier_s = np.array(SQUARE) @ towards / 343.0
    spectrum, bins = np.fft.rfft(source), np.fft.rfftfreq(len(source), 1 / RATE)
    moved = [np.fft.irfft(spectrum * np.exp(2j * np.pi * bins * one), len(source)) for one in earlier_s]
    return np.stack(moved, axis=1)


def room(rng: np.random.Generator, voice_deg: float, noise_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """2.5 s of noise, then 1.2 s with a voice that is as loud; and the voice alone."""
    length = int(3.7 * RATE)
    voice = rng.standard_normal(length) * 1000
    voice[: int(2.5 * RATE)] = 0
    noise = wave(rng.standard_normal(length) * 1000, noise_deg) + rng.standard_normal((length, 4)) * 20
    heard = wave(voice, voice_deg)
    return np.rint(heard + noise).astype(np.int16), heard


def hear(array: MicrophoneArray, audio: np.ndarray) -> np.ndarray:
    return np.concatenate([array.take(audio[at : at + 480]) for at in range(0, len(audio), 480)])


def test_spectra_and_back_is_the_same_sound_later() -> None:
    audio = (np.random.default_rng(1).standard_normal((4800, 1)) * 3000).astype(np.int16)
    analysis, synthesis = Analysis(1), Synthesis()
    out = np.concatenate([synthesis.take(analysis.take(audio[at : at + 160])[:, 0]) for at in range(0, 4800, 160)])
    assert np.abs(out[LATENCY:].astype(int) - audio[: len(out) - LATENCY, 0]).max() <= 1


@pytest.mark.parametrize("voice_deg", [0.0, 75.0, 200.0])
def test_the_beam_finds_who_spoke_and_takes_the_noise_away(voice_deg: float) -> None:
    array = MicrophoneArray(SQUARE, 3.0)
    audio, voice = room(np.random.default_rng(2), voice_deg, voice_deg + 110)
    hear(array, audio)
    steered = array.steer()
    assert steered.direction_deg is not None
    assert abs((steered.direction_deg - voice_deg + 180) % 360 - 180) <= 6
    assert steered.gain_db > 10
    again = steered.again[-int(0.5 * RATE) :].astype(float)
    alone = voice[len(voice) - LATENCY - len(again) : len(voice) - LATENCY, 0]
    left_db = 10 * np.log10(((again - alone) ** 2).mean() / (alone**2).mean())
    assert left_db < -6  # one microphone: 0


def test_the_fixed_beam_stays_until_it_is_released() -> None:
    array = MicrophoneArray(SQUARE, 3.0)
    audio, _ = room(np.random.default_rng(3), 30, 150)
    hear(array, audio)
    array.steer()
    fixed = array._weights
    hear(array, audio)
    assert array._weights is fixed
    array.release()
    hear(array, audio)
    assert array._weights is not fixed


def test_what_was_heard_before_a_gap_is_not_heard_again() -> None:
    array = MicrophoneArray(SQUARE, 3.0)
    audio, _ = room(np.random.default_rng(4), 30, 150)
    hear(array, audio)
    array.forget_soon()
    array.take(audio[:480])
    assert len(array.steer().again) < 480


def test_microphones_in_a_line_claim_the_front_half() -> None:
    degrees = Directions(((-0.029, 0.0), (0.029, 0.0))).degrees
    assert degrees.min() == -90
    assert degrees.max() == 90


@pytest.mark.parametrize(
    ("gain", "offset", "fault"),
    [(0.0, 0, Fault.DEAD), (0.0, 900, Fault.DEAD), (0.1, 0, Fault.WEAK), (10.0, 0, Fault.LOUD)],
)
def test_a_microphone_unlike_the_others_is_left_out_and_taken_back(gain: float, offset: int, fault: Fault) -> None:
    rng = np.random.default_rng(5)
    good = (rng.standard_normal((RATE, 4)) * 500).astype(np.int16)
    bad = good.copy()
    bad[:, 2] = (bad[:, 2] * gain + offset).astype(np.int16)
    watch = ChannelWatch(4)
    changes = [watch.take(bad, None) for _ in range(PATIENCE_S)]
    assert changes == [False] * (PATIENCE_S - 1) + [True]
    assert [fact.fault for fact in watch.facts] == [Fault.NONE, Fault.NONE, fault, Fault.NONE]
    assert watch.counters()["mics_bad"] == 1
    for _ in range(PATIENCE_S):
        watch.take(good, None)
    assert watch.healthy.all()


def test_a_silent_room_blames_nobody() -> None:
    watch = ChannelWatch(4)
    for _ in range(10):
        watch.take(np.zeros((RATE, 4), np.int16), None)
    assert watch.healthy.all()


def test_the_beam_does_without_a_dead_reference() -> None:
    array = MicrophoneArray(SQUARE, 3.0)
    audio, _ = room(np.random.default_rng(6), 40, 160)
    audio[:, 0] = 0
    hear(array, audio)
    hear(array, audio)
    assert not array.watch.healthy[0]
    steered = array.steer()
    assert np.abs(steered.again.astype(int)).max() > 500
    assert steered.gain_db > 3


def test_the_ring_takes_the_newest_samples_once_more() -> None:
    ring = Ring(10)
    ring.put(np.arange(14, dtype=np.int16))
    ring.replace(np.array([-1, -2, -3], np.int16))
    assert ring.cut(8, 14).tolist() == [8, 9, 10, -1, -2, -3]
    ring.replace(np.arange(100, 130, dtype=np.int16))
    assert ring.cut(4, 14).tolist() == list(range(120, 130))


class Engine:
    """Scores what it is told to."""

    name, library, words, step, tail_ms = "fake", "fake", (), 480, 0
    latest: tuple[float, ...] = ()

    def __init__(self, score: float) -> None:
        self.score, self.heard, self.resets = score, 0, 0

    def take(self, audio: bytes) -> tuple[float, ...]:
        self.heard += len(audio) // 2
        self.latest = (self.score,)
        return self.latest

    def reset(self) -> None:
        self.resets += 1


def test_the_best_beam_decides_and_without_beams_the_one_channel() -> None:
    array = MicrophoneArray(SQUARE, 3.0)
    engines: list[Any] = [Engine(0.2), Engine(0.9), Engine(0.4)]
    assert len(engines) == len(WAKE_BEAMS_DEG)
    wake = BeamWake(array, engines)
    assert wake.take(bytes(960)) == (0.2,)
    assert engines[1].heard == 0
    hear(array, room(np.random.default_rng(7), 40, 160)[0])
    assert wake.take(bytes(960)) == (0.9,)
    array.bypass(True)
    assert wake.take(bytes(960)) == (0.2,)


def test_a_map_travels_and_names_are_checked() -> None:
    board = array_map("respeaker-usb-4mic")
    assert board is not None
    assert (board.channels, board.microphones, board.processed, board.loopback) == (6, (1, 2, 3, 4), 0, (5,))
    assert ArrayMap.of(board.tree()) == board
    assert array_map("none") is None
    with pytest.raises(SettingsError, match=r"sound\.board"):
        array_map("respeaker-9mic")


def test_a_recording_of_the_whole_board_keeps_its_channels(tmp_path: Path) -> None:
    file = tmp_path / "four.wav"
    soundfile.write(file, np.stack([np.full(800, 0.1 * one) for one in range(1, 5)], axis=1), RATE)
    assert load(file, microphones=4).samples.shape == (800, 4)
    first = load(file, microphones=2).samples
    assert first.shape == (800,)
    assert abs(int(first[0]) - 3277) <= 1
