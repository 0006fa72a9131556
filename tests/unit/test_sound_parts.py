"""In: the sound engine's parts, one by one, with fake clocks. Out: their promises held."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.bench.wake import poisson_upper
from appliance.engines.recordings import Noise, mix
from appliance.engines.sound.capture.card import Shape, holding
from appliance.engines.sound.capture.feed import Pacer
from appliance.engines.sound.capture.freshness import Freshness
from appliance.engines.sound.capture.front_end import FrontEnd
from appliance.engines.sound.capture.resample import Resampler
from appliance.engines.sound.capture.ring import Ring
from appliance.engines.sound.measure import end_of_speech_s
from appliance.engines.sound.pcm import first_audible, level_dbfs
from appliance.engines.sound.playback.sinks import TimedSink
from appliance.engines.sound.vad import WINDOW, EnergyVad
from appliance.engines.sound.wake import open_engine
from appliance.engines.sound.wake.decision import Decision
from appliance.engines.sound.wake.porcupine import access_key
from appliance.engines.sound.wake.protocol import Word
from appliance.errors import DeviceError, WakeError
from appliance.settings.sound import WakeSettings


@given(st.lists(st.integers(1, 300), max_size=30), st.data())
@settings(max_examples=60, deadline=None)
def test_the_ring_keeps_the_last_samples_at_their_positions(lengths: list[int], data: st.DataObject) -> None:
    ring, stream = Ring(500), np.arange(sum(lengths)).astype(np.int16)
    for start, length in zip(itertools.accumulate([0, *lengths]), lengths, strict=False):
        ring.put(stream[start : start + length])
    start = data.draw(st.integers(ring.start, ring.end))
    end = data.draw(st.integers(start, ring.end))
    assert ring.end == len(stream) and ring.end - ring.start == min(500, len(stream))
    assert np.array_equal(ring.cut(start, end), stream[start:end])


def test_the_ring_forgets_what_was_before_a_skip() -> None:
    ring = Ring(500)
    ring.put(np.ones(100, np.int16))
    ring.skip(50)
    with pytest.raises(IndexError):
        ring.cut(90, 150)
    assert ring.start == ring.end == 150


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(48000, 16000), (44100, 16000), (22050, 48000), (22050, 44100), (8000, 16000)]
)
def test_resampling_keeps_a_tone_and_has_no_seams(from_hz: int, to_hz: int) -> None:
    tone = (10000 * np.sin(2 * np.pi * 1000 * np.arange(from_hz) / from_hz)).astype(np.int16)
    whole = Resampler(from_hz, to_hz)
    at_once = np.concatenate((whole.take(tone), whole.flush()))
    pieces = Resampler(from_hz, to_hz)
    cuts = np.split(tone, [1, 7, 160, 333, 5000, 5001])
    in_pieces = np.concatenate([*(pieces.take(cut) for cut in cuts), pieces.flush()])
    assert np.array_equal(at_once, in_pieces)
    assert len(at_once) == pytest.approx(to_hz, abs=2)
    expected = 10000 * np.sin(2 * np.pi * 1000 * np.arange(len(at_once)) / to_hz)
    inner = slice(to_hz // 10, -to_hz // 10)
    assert np.abs(at_once[inner] - expected[inner]).max() < 60  # 0.6 %, 44 dB below the tone


def test_resampling_down_removes_what_would_alias() -> None:
    hiss = (10000 * np.sin(2 * np.pi * 11000 * np.arange(48000) / 48000)).astype(np.int16)
    assert level_dbfs(Resampler(48000, 16000).take(hiss)[500:]) < level_dbfs(hiss) - 55


def test_the_front_end_takes_the_chosen_channel_of_32_bit_frames() -> None:
    frames = np.zeros((160, 6), np.int32)
    frames[:, 4] = 1234 << 16
    end = FrontEnd(Shape("array", 16000, 6, 32, 160, 1600), (4,))
    assert np.array_equal(end.take(frames.tobytes()), np.full(160, 1234))
    with pytest.raises(DeviceError, match="6 channels"):
        FrontEnd(Shape("array", 16000, 6, 32, 160, 1600), (6,))


def test_the_pacer_does_not_drift_when_sleeps_are_late() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds + 0.003  # every sleep is late

    pacer = Pacer(1 / 16000, lambda: now[0], sleep)
    due_s = [pacer.wait(160) for _ in range(1000)][-1]
    assert due_s == pytest.approx(110.0) and now[0] < 110.01


def test_a_backlog_after_a_stall_is_stale_and_live_audio_after_it_is_not() -> None:
    fresh, now = Freshness(1.0), 0.0
    for _ in range(100):
        now += 0.01
        assert fresh.take(now, 0.01, waited_s=0.01)
    now += 3.0
    verdicts = [fresh.take(now, 0.01, waited_s=0.0) for _ in range(300)]
    assert verdicts.index(True) > 280  # the flood is dropped up to the last moments
    for _ in range(100):
        now += 0.01
        assert fresh.take(now, 0.01, waited_s=0.01)
    assert fresh.stale_s == pytest.approx(3.0, abs=0.2)


def test_audio_lost_in_a_stall_is_not_waited_for() -> None:
    fresh = Freshness(1.0)
    assert fresh.take(0.01, 0.01, 0.01)
    verdicts = [fresh.take(5.0 + 0.01 * k, 0.01, waited_s=0.01) for k in range(5)]
    assert verdicts == [False, True, True, True, True]


def test_a_drifting_card_is_never_stale() -> None:
    fresh = Freshness(0.2)
    assert all(fresh.take(0.01 * k * 1.0002, 0.01, waited_s=0.01) for k in range(1, 500_000, 1))


def decide(scores: list[float], step: int = 480) -> list[tuple[int, str]]:
    decision = Decision(Word("alexa", 0.9), WakeSettings())
    verdicts = [(k, decision.take(k * step, score)) for k, score in enumerate(scores)]
    return [(k, "near" if verdict.near else "wake") for k, verdict in verdicts if verdict is not None]


def test_a_word_wakes_once_and_again_after_the_refractory_time() -> None:
    assert decide([0.0, 0.95, 0.99, 0.2, 0.95, 0.0]) == [(1, "wake")]
    assert decide([0.95, 0.0] + [0.0] * 40 + [0.95]) == [(0, "wake"), (42, "wake")]


def test_a_score_that_stays_high_is_one_word() -> None:
    assert decide([0.95] * 100) == [(0, "wake")]


def test_a_near_miss_is_told_once_when_it_is_over_and_not_before_a_wake() -> None:
    assert decide([0.6, 0.7, 0.6, 0.3, 0.6] + [0.0] * 20) == [(14, "near")]
    assert decide([0.6, 0.95] + [0.0] * 60) == [(1, "wake")]


def test_while_the_device_speaks_a_higher_score_is_wanted() -> None:
    decision = Decision(Word("alexa", 0.9, relief=0.2), WakeSettings(speaking_cutoff_add=0.05))
    assert decision.take(0, 0.93, speaking=True, quiet=True) is None
    assert decision.take(480, 0.96, speaking=True, quiet=True) is not None


def test_in_a_quiet_room_less_will_do_unless_the_owner_set_the_cutoff() -> None:
    own, owners = Word("alexa", 0.9, relief=0.2), Word("alexa", 0.9)
    assert Decision(own, WakeSettings()).take(0, 0.75, quiet=True) is not None
    assert Decision(own, WakeSettings()).take(0, 0.75) is None
    assert Decision(owners, WakeSettings()).take(0, 0.75, quiet=True) is None


def test_energy_tells_speech_from_a_steady_room() -> None:
    vad, rng = EnergyVad(), np.random.default_rng(3)
    room = [vad.probability(rng.normal(0, 100, WINDOW).astype(np.int16)) for _ in range(60)]
    talk = [vad.probability(rng.normal(0, 2000, WINDOW).astype(np.int16)) for _ in range(10)]
    after = [vad.probability(rng.normal(0, 100, WINDOW).astype(np.int16)) for _ in range(10)]
    assert max(room[1:]) < 0.3 and min(talk) > 0.9 and after[-1] < 0.3


def test_levels() -> None:
    assert level_dbfs(np.zeros(100, np.int16)) == -96.0
    assert level_dbfs(np.full(100, 5000, np.int16)) == -96.0  # an offset is no sound
    square = np.tile(np.array([16384, -16384], np.int16), 80)
    assert level_dbfs(square) == pytest.approx(-6.02, abs=0.01)
    assert first_audible(np.array([0, 100, -400, 900], np.int16)) == 2
    assert first_audible(np.zeros(10, np.int16)) is None


def test_the_timed_sink_drains_in_real_time() -> None:
    now = [5.0]
    sink = TimedSink(1.0, buffer_s=10.0, clock=lambda: now[0])
    sink.open(16000)
    sink.write(np.zeros(16000, np.int16))
    assert sink.pending_s() == pytest.approx(1.0)
    now[0] += 0.75
    assert sink.pending_s() == pytest.approx(0.25)
    sink.drop()
    assert sink.pending_s() == 0.0


def test_noise_is_mixed_at_the_ratio_of_the_loudest_frames() -> None:
    rng = np.random.default_rng(1)
    speech = np.zeros(20480, np.int16)
    speech[4096:8192] = rng.normal(0, 3000, 4096)
    noise = rng.normal(0, 500, 60000).astype(np.int16)
    mixed = mix(speech, noise, 10.0, 4096, np.random.default_rng(7))
    assert len(mixed) == len(speech) + 4096
    assert level_dbfs(speech[4096:8192]) - level_dbfs(mixed[12288:]) == pytest.approx(10.0, abs=0.7)
    assert end_of_speech_s(speech) == pytest.approx(0.52)


def test_noise_from_a_file_is_mixed_as_from_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    speech, noise = rng.normal(0, 3000, 20480).astype(np.int16), rng.normal(0, 500, 30000).astype(np.int16)
    for samples in (noise, noise[:9000]):  # the shorter is repeated
        soundfile.write(tmp_path / "noise.flac", samples, 16000)
        kept = Noise(tmp_path / "noise.flac")
        for seed in range(3):
            mixed = [mix(speech, each, 6.0, 4096, np.random.default_rng(seed)) for each in (samples, kept)]
            assert np.array_equal(*mixed)


def test_poisson_bound() -> None:
    assert poisson_upper(0) == pytest.approx(2.9957, abs=1e-3)
    assert poisson_upper(3) == pytest.approx(7.7537, abs=1e-3)


def test_who_holds_the_card(tmp_path: Path) -> None:
    process = tmp_path / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("arecord\n")
    (process / "fd" / "3").symlink_to("/dev/snd/pcmC1D0c")
    assert holding("capture", tmp_path) == ["arecord (pid 4711)"]
    assert holding("playback", tmp_path) == []


def test_wake_models_that_cannot_run_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WakeError, match=r"'hey_nobody'.*alexa"):
        open_engine(WakeSettings(words=("hey_nobody",)), ())
    (tmp_path / "mine.json").write_text('{"model": "mine.tflite", "micro": {"probability_cutoff": 0.9}}')
    with pytest.raises(WakeError, match=r"mine\.json"):
        open_engine(WakeSettings(words=("mine",), model_dir=tmp_path), ())
    (tmp_path / "mine.json").write_text(
        '{"model": "mine.tflite", "micro": {"probability_cutoff": 0.9, "sliding_window_size": 5}}'
    )
    (tmp_path / "mine.tflite").write_bytes(b"TFL3 is not in here")
    with pytest.raises(WakeError, match="not a TensorFlow Lite model"):
        open_engine(WakeSettings(words=("mine",), model_dir=tmp_path), ())
    assert open_engine(WakeSettings(engine="none"), ()) is None
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(WakeError, match="access_key_file"):
        access_key(None)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "porcupine").write_text("KEY\n")
    assert access_key(None) == "KEY"
