"""In: a wake word's bare probabilities while the device speaks. Out: whether its voice is to be silent until more is known.

A wake word is decided on the mean of several probabilities, some 125 ms after the first that is high. Silence that turns out
to be needless costs a pause, a turn opened by mistake costs the turn: so much less is asked for the silence.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.engines.sound.pcm import RATE_HZ
from appliance.wire.sound import STOP_WORD

SUSPECT = 0.5
"""Bare probability above which a wake word may be under way.

Behind the end of alexa (162 recordings in a reply, its echo 20 dB below the voice, canceller at work; p50 and p95 in ms)
and pauses a minute of own speech (44 min at -6 and -11 dB, with and without a room) and of kitchen noise over it (7 min):
confirmed words 210 284; bare 0.2 64 136, 0.02 1.2; 0.3 69 140, 0 0.9; **0.5 84 147, 0 0.6**; 0.7 94 155, 0 0.4; 0.9 101 187,
0 0.3; mean of two 0.5 94 168, 0 0.4; mean of three 0.5 114 176, 0 0.4; four 0.5 124 198, 0 0.4. Speech of others over a
reply (20 min): none from 0.3 on. A lower cutoff of the detection itself gets less: mean of three 0.9 154 226.
"""
SUSPECT_STOP = 0.6
"""The same for the stop word, whose model is less sure (50 spoken by two synthesisers): confirmed 171 244;
0.5 104 161, 0.18 a minute of own speech; 0.6 104 161, 0.07, all of them confirmed; 0.8 127 184, 0.02."""
SETTLE_S = 0.12
"""A probability counts in the mean of five for four more strides of 30 ms; no word was confirmed later than that."""
MOST_S = 0.5
"""Longest from the first suspicion to the word: 0.18 s for alexa, 0.36 s for okay_nabu, which is longer."""
CONFIRMED_S = 0.3
"""After a detection the supervisor silences the playback within 25 ms; where it does not, it knows that the device itself
said the word, and the voice goes on."""
REST_S = 2.0
"""None follows an unconfirmed one for so long: a voice must not stutter at what sounds like the word again and again."""


class WakeDucking:
    """The judge of all words together. Time is audio time: positions in 16 kHz samples."""

    def __init__(self, words: Sequence[str]) -> None:
        self._limits = tuple(SUSPECT_STOP if word == STOP_WORD else SUSPECT for word in words)
        self._since: int | None = None
        self._last = 0
        self._confirmed: int | None = None
        self._rest_until = 0
        self._above = False
        self.begun = 0
        self.unconfirmed = 0

    def take(self, position: int, probabilities: Sequence[float], speaking: bool) -> bool:
        """Whether the device's voice is to be silent after the `probabilities` of all words at `position`."""
        above = any(one > limit for one, limit in zip(probabilities, self._limits, strict=True))
        rising, self._above = above and not self._above, above
        if self._since is None:
            if speaking and rising and position >= self._rest_until:
                self._since, self._last, self._confirmed = position, position, None
                self.begun += 1
        else:
            if above:
                self._last = position
            if not speaking or self._over(position, self._since):
                self._end(position)
        return self._since is not None

    def confirm(self, position: int) -> None:
        """The word was detected."""
        if self._since is not None:
            self._confirmed = position

    def forget(self, position: int) -> None:
        """The stream was interrupted."""
        if self._since is not None:
            self._end(position)

    def _over(self, position: int, since: int) -> bool:
        if self._confirmed is not None:
            return position - self._confirmed >= CONFIRMED_S * RATE_HZ
        return position - self._last >= SETTLE_S * RATE_HZ or position - since >= MOST_S * RATE_HZ

    def _end(self, position: int) -> None:
        self._since = None
        if self._confirmed is None:
            self.unconfirmed += 1
            self._rest_until = position + int(REST_S * RATE_HZ)
