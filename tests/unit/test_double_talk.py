"""In: an echo, and somebody who speaks over it. Out: the echo is left to the canceller, the person is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engines.sound.echo.double_talk import DoubleTalkDetector
from appliance.engines.sound.pcm import Samples

FRAME = 160
CHANCE = np.random.default_rng(4)


def noise(rms: float) -> Samples:
    return np.asarray(np.clip(np.rint(CHANCE.normal(0.0, rms, FRAME)), -32768, 32767), dtype=np.int16)


def learnt(echo_rms: float = 100.0) -> DoubleTalkDetector:
    """An echo 20 dB below what is played, for two seconds."""
    path = DoubleTalkDetector()
    blends = [path.blend(noise(echo_rms), noise(1000.0)) for _ in range(200)]
    assert max(blends) < 0.02, "the echo alone is never taken as it is"
    return path


def test_a_voice_20_db_above_the_echo_is_taken_as_it_is_within_50_ms() -> None:
    path = learnt()
    blends = [path.blend(noise(1000.0), noise(1000.0)) for _ in range(50)]
    assert blends[4] > 0.9 and blends[-1] > 0.99


def test_between_syllables_it_fades_back_and_the_echo_is_cancelled_again() -> None:
    path = learnt()
    for _ in range(30):
        path.blend(noise(1000.0), noise(1000.0))
    blends = [path.blend(noise(100.0), noise(1000.0)) for _ in range(60)]
    assert blends[4] > 0.3 and blends[-1] < 0.02


@pytest.mark.parametrize("rms", [100.0, 180.0])
def test_a_person_as_quiet_as_the_echo_is_left_to_the_canceller(rms: float) -> None:
    path = learnt()
    assert max(path.blend(noise(rms), noise(1000.0)) for _ in range(50)) < 0.02


def test_an_echo_that_grew_louder_is_learnt_anew() -> None:
    path = learnt()
    blends = [path.blend(noise(600.0), noise(1000.0)) for _ in range(500)]
    assert blends[20] > 0.9 and max(blends[400:]) < 0.02


def test_nothing_is_known_of_an_echo_that_just_began() -> None:
    path = DoubleTalkDetector()
    assert all(path.blend(noise(2000.0), noise(1000.0)) == 0.0 for _ in range(30))


def test_a_loudspeaker_that_is_not_heard_at_all_breaks_nothing() -> None:
    double_talk = DoubleTalkDetector()
    silence, played = np.zeros(160, np.int16), np.full(160, 3000, np.int16)
    assert all(double_talk.blend(silence, played) == 0.0 for _ in range(200))
    assert double_talk.blend(np.full(160, 2000, np.int16), played) > 0.0  # and a voice is then all that is heard


def replying(path: DoubleTalkDetector, heard_rms: float, frames: int, again: bool = False) -> list[bool]:
    """Whether a person seems to be there after each frame of another reply."""
    path.begin(again)
    told = []
    for _ in range(frames):
        path.blend(noise(heard_rms), noise(1000.0))
        told.append(path.person)
    return told


def test_the_echo_alone_is_no_person_and_who_is_louder_than_it_is_one_within_50_ms() -> None:
    path = learnt()
    assert not any(replying(path, 100.0, 300))
    assert replying(path, 200.0, 50)[5:] == [True] * 45


@pytest.mark.parametrize(("after_frames", "person"), [(50, False), (250, True)])
def test_at_a_replys_beginning_more_is_asked_of_a_person(after_frames: int, person: bool) -> None:
    path = learnt()
    assert not any(replying(path, 100.0, after_frames))
    for _ in range(8):
        path.blend(noise(100.0 * 10 ** (3.3 / 20)), noise(1000.0))
    assert path.person is person


def test_what_was_said_before_a_reply_does_not_count_in_it_unless_it_was_only_held() -> None:
    for again in (False, True):
        path = learnt()
        assert replying(path, 1000.0, 30)[-1]
        assert any(replying(path, 100.0, 10, again)) is again


def test_in_a_pause_of_the_reply_the_room_is_no_person_and_a_voice_is() -> None:
    path, silence = learnt(), np.zeros(FRAME, np.int16)
    path.begin(again=False)
    told = [path.blend(noise(60.0), silence) is not None and path.person for _ in range(60)]
    assert not any(told)
    for _ in range(10):
        path.blend(noise(300.0), silence)
    assert path.person


def test_before_an_echo_is_known_nothing_is_told_apart_from_it() -> None:
    path = DoubleTalkDetector()
    assert not any(replying(path, 2000.0, 30))
