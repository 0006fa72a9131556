"""In: blocks of a board's raw microphones. Out: one channel: while nobody is known to speak, a beam that follows whatever
stands out of the room's noise; after the wake word, one that is fixed on who said it.

The noise is what was heard a while ago (`NOISE_AGE_S`), so that a word that has just begun is no noise. All times are
audio times. Everything happens on the source's thread.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.engines.sound.beam.channels import ChannelWatch
from appliance.engines.sound.beam.direction import Directions
from appliance.engines.sound.beam.spectra import BIN_HZ, BINS, FRAMES_PER_S, HOP, Analysis, Spectra, Synthesis
from appliance.engines.sound.beam.weights import (
    Covariance,
    Vector,
    apply,
    covariance,
    follow,
    inverse,
    loaded,
    mvdr,
    power,
    transfer,
)
from appliance.engines.sound.pcm import Samples

NOISE_S = 0.8
"""Time constant of the noise covariance."""
NOISE_AGE_S = 0.9
"""How old the noise is that a voice is compared with: no wake word is longer before it is heard."""
WORD_S = 0.9
WORD_TAIL_S = 0.15
"""The wake word's place before its detection: models fire 0.17 to 0.28 s behind its end."""
WORD_NOISE_AGE_S = 1.25
SNAPSHOT_S = 0.25
"""How often the noise covariance is kept and the idle beam's inverse made anew."""
VOICE_S = 0.3
"""Time constant of the covariance that the idle beam follows: a syllable."""
BLOCK = 4
"""Frames after which the idle beam moves: 32 ms."""
LEAST_GAIN_DB = 1.0
"""A beam that takes less of the noise than this does not pay: the reference microphone is heard as it is."""
WAKE_BEAMS_DEG = (0.0, 120.0, -120.0)
"""Where the beams look in which wake words are listened for."""
WORD_STEPS = 8
"""Of the power iteration (two each) for the wake word; it begins anew and must arrive."""


@dataclass(frozen=True, slots=True)
class Steered:
    """The beam was fixed on a speaker."""

    direction_deg: float | None
    """Clockwise from the board's mark; None where it cannot be told."""
    gain_db: float
    """By how much less of the noise comes through than through one microphone; 0 where that one is heard."""
    again: Samples
    """The newest samples once more, through the new beam."""


class MicrophoneArray:
    """One board's microphones."""

    def __init__(self, positions_m: Sequence[tuple[float, float]], history_s: float) -> None:
        """`positions_m` as in ArrayMap; `history_s` of audio can be heard once more."""
        self.microphones = len(positions_m)
        self.watch = ChannelWatch(self.microphones)
        self._directions = Directions(positions_m)
        self._wake_waves = self._directions.waves(WAKE_BEAMS_DEG)
        self._wake_syntheses = tuple(Synthesis() for _ in WAKE_BEAMS_DEG)
        self._analysis, self._synthesis = Analysis(self.microphones), Synthesis()
        self._past: deque[Spectra] = deque()
        self._past_frames, self._most_frames = 0, math.ceil(history_s * FRAMES_PER_S)
        self._reference = 0
        self._single = self._one(0)
        self.steered_by = 0
        """Times that the beam was fixed on a speaker."""
        self.gain_db = 0.0
        self._stale = False
        self._forget()

    def _forget(self) -> None:
        shape = (self.microphones, self.microphones, BINS)
        self._noise: Covariance = np.zeros(shape, dtype=np.complex64)
        self._noise_weight = 0.0
        self._snapshots: deque[Covariance] = deque(maxlen=round(2.5 / SNAPSHOT_S))
        self._since_snapshot = 0
        self._voice: Covariance = np.zeros(shape, dtype=np.complex64)
        self._vector = np.ones((self.microphones, BINS), dtype=np.complex64)
        self._loaded: Covariance | None = None
        self._inverse: Covariance | None = None
        self._waiting: list[Spectra] = []
        self._weights: Vector = self._single
        self._wake_weights: tuple[Vector, ...] = ()
        self.forget_wake_audio()
        self.fixed = False
        self._bypassed = False

    def _one(self, microphone: int) -> Vector:
        weights = np.zeros((self.microphones, BINS), dtype=np.complex64)
        weights[microphone] = 1.0
        return weights

    def take(self, block: Samples) -> Samples:
        """A block of shape (samples, microphones); what of the beam it completes, LATENCY later."""
        if self._stale:
            self._stale = False
            self.interrupted()
        if self.watch.take(block, self._snapshots[-1] if self._snapshots else None):
            self._choose_reference()
        spectra = self._analysis.take(block)
        if not len(spectra):
            return np.zeros(0, dtype=np.int16)
        if not self.watch.healthy.all():
            spectra = spectra * self.watch.healthy[None, :, None]
        self._keep(spectra)
        if not (self.fixed or self._bypassed):
            self._learn(spectra)
        if self._wake_weights and not self._bypassed:
            for kept, synthesis, weights in zip(
                self._wake_audio, self._wake_syntheses, self._wake_weights, strict=True
            ):
                kept += synthesis.take(apply(weights, spectra)).tobytes()
        return self._synthesis.take(apply(self._weights, spectra))

    def wake_audio(self, samples: int) -> list[bytes] | None:
        """The next `samples` of each wake beam, S16; None while there are no beams: at the start, or bypassed."""
        wanted = 2 * samples
        if len(self._wake_audio[0]) < wanted:
            return None
        taken = [bytes(kept[:wanted]) for kept in self._wake_audio]
        for kept in self._wake_audio:
            del kept[:wanted]
        return taken

    def forget_wake_audio(self) -> None:
        """What the wake beams heard and nobody took."""
        self._wake_audio = tuple(bytearray() for _ in WAKE_BEAMS_DEG)

    def steer(self) -> Steered:
        """A wake word was just heard: fixes the beam on who said it, until `release`."""
        again = self._recent(self._past_frames)
        end = len(again) - round(WORD_TAIL_S * FRAMES_PER_S)
        word = again[max(0, end - round((WORD_S - WORD_TAIL_S) * FRAMES_PER_S)) : max(0, end)]
        noise = self._aged(WORD_NOISE_AGE_S)
        direction_deg, self.gain_db, weights = None, 0.0, self._single
        if noise is not None and len(word) and self.watch.healthy.sum() > 1:
            base = loaded(noise)
            turned, heard = inverse(base), covariance(word)
            vector = self._vector
            for _ in range(WORD_STEPS):
                vector = follow(turned, heard, vector)
            steering = transfer(base, vector, self._reference)
            weights = mvdr(turned, steering)
            ratio = power(heard, weights) / np.maximum(power(base, weights), 1e-9) - 1.0
            direction_deg = self._directions.find(steering, ratio, self.watch.healthy)
            self.gain_db = self._gain_db(noise, weights)
            if self.gain_db < LEAST_GAIN_DB:
                self.gain_db, weights = 0.0, self._single
        self._weights, self.fixed = weights, True
        self.steered_by += 1
        self._synthesis.reset()
        made = self._synthesis.take(apply(weights, again))
        return Steered(direction_deg, self.gain_db, made[min(3, len(again)) * HOP :])

    def release(self) -> None:
        """Nobody is listened to any more: the beam follows what stands out, as before."""
        self.fixed = False

    def bypass(self, bypassed: bool) -> None:
        """While the device itself is heard, one microphone is: an echo canceller cannot follow a beam that moves, and the
        loudspeaker is no noise to remember."""
        if bypassed and not self._bypassed and not self.fixed:
            self._weights = self._single
        if bypassed:
            self.forget_wake_audio()
        self._bypassed = bypassed

    def forget_soon(self) -> None:
        """Before the next block, from any thread: what was heard must not be heard again."""
        self._stale = True

    def counters(self) -> dict[str, float]:
        """For the heartbeat."""
        return self.watch.counters() | {
            "beam_steered": float(self.steered_by),
            "beam_gain_db": round(self.gain_db, 1),
        }

    def interrupted(self) -> None:
        """Audio is missing from here on."""
        self._analysis.reset()
        self._synthesis.reset()
        self._past.clear()
        self._past_frames = 0
        self._forget()

    # ---- idle

    def _learn(self, spectra: Spectra) -> None:
        self._waiting.append(spectra)
        if sum(map(len, self._waiting)) < BLOCK:
            return
        block = np.concatenate(self._waiting) if len(self._waiting) > 1 else self._waiting[0]
        self._waiting = []
        now = covariance(block)
        keep = math.exp(-len(block) / FRAMES_PER_S / NOISE_S)
        self._noise = keep * self._noise + np.float32(1.0 - keep) * now
        self._noise_weight = keep * self._noise_weight + 1.0 - keep
        keep = np.float32(math.exp(-len(block) / FRAMES_PER_S / VOICE_S))
        self._voice = keep * self._voice + (np.float32(1.0) - keep) * now
        self._since_snapshot += len(block)
        if self._since_snapshot >= SNAPSHOT_S * FRAMES_PER_S:
            self._since_snapshot = 0
            self._snapshots.append(self._noise / np.float32(self._noise_weight))
            aged = self._aged(NOISE_AGE_S)
            assert aged is not None
            self._loaded = loaded(aged)
            self._inverse = inverse(self._loaded)
            mask = self.watch.healthy[:, None]
            self._wake_weights = tuple(mvdr(self._inverse, wave * mask) for wave in self._wake_waves)
        if self._inverse is not None and self._loaded is not None:
            self._vector = follow(self._inverse, self._voice, self._vector)
            self._weights = mvdr(self._inverse, transfer(self._loaded, self._vector, self._reference))

    def _aged(self, age_s: float) -> Covariance | None:
        """The noise covariance of that long ago, or the oldest there is."""
        if not self._snapshots:
            return None
        return self._snapshots[max(0, len(self._snapshots) - 1 - round(age_s / SNAPSHOT_S))]

    def _gain_db(self, noise: Covariance, weights: Vector) -> float:
        speech = (BIN_HZ >= 200.0) & (BIN_HZ <= 6000.0)
        before = float(noise[self._reference, self._reference].real[speech].sum())
        after = float(power(noise, weights)[speech].sum())
        return 10.0 * math.log10(max(before, 1e-9) / max(after, 1e-9))

    # ---- channels and the past

    def _choose_reference(self) -> None:
        healthy: NDArray[np.int_] = np.flatnonzero(self.watch.healthy)
        self._reference = int(healthy[0]) if len(healthy) else 0
        self._single = self._one(self._reference)
        self._inverse = self._loaded = None  # of microphones that are not the same any more
        self._wake_weights = ()
        self.forget_wake_audio()
        if not self.fixed:
            self._weights = self._single

    def _keep(self, spectra: Spectra) -> None:
        self._past.append(spectra)
        self._past_frames += len(spectra)
        while self._past_frames - len(self._past[0]) >= self._most_frames:
            self._past_frames -= len(self._past.popleft())

    def _recent(self, frames: int) -> Spectra:
        if not self._past:
            return np.zeros((0, self.microphones, BINS), dtype=np.complex64)
        return np.concatenate(self._past)[-frames:]
