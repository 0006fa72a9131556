"""In: what the microphone hears and what the loudspeaker plays, 10 ms at a time. Out: how much of it needs no cancelling,
and whether it is more than the loudspeaker explains.

WebRTC's suppressor spoils a voice that is heard while the loudspeaker plays, also where the echo is far too quiet to matter:
with an echo 20 dB below the voice it left 60 % of the wake words to be found, of 88 without any cancelling and 96 without
echo (50 recordings of alexa in a reply). So the loudness of the echo is learnt, and where the person is much louder than
that, the microphone is taken as it is: 90 % (of 30). The recorded pairs keep their 34 dB of echo removed.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from appliance.engines.sound.pcm import Samples

REACH_FRAMES = 25
"""The echo of a frame is over after 250 ms: path, buffers, and a living room's first decay."""
LEARNT_FRAMES = 600
"""Frames with sound from the loudspeaker from which the echo's loudness is learnt: 6 s."""
LEAST_FRAMES = 60
ECHO_SHARE = 0.85
"""Of these frames, those with less echo; who speaks over a reply for longer than the rest gets no more than cancelling."""
CLEAR_DB = 7.0
"""From so much above the learnt loudness on, a person is heard who needs less help. Recorded far end, share and both
limits: 0.5/9/15 20.8 dB removed, 0.85/6/12 33.3, 0.85/7/12 34.5, 0.85/9/15 35.2, of words found 84, 83, 87, 77 %."""
SURE_DB = 12.0
"""From here on the microphone is taken as it is; between the two, in part."""
RISE, FALL = 0.5, 0.12
"""Share of the way to the wanted blend in one frame: a syllable's beginning is kept, and its end and the next."""
SPOKEN_FRAMES = 150
"""Who is heard for longer than 1.5 s without as much of the echo alone may be the echo, grown louder."""
FLOOR = 10.0
"""Energy of a sample below which the loudspeaker counts as silent."""

WORD_FRAMES = 80
"""A wake word and what its decision lags behind it: 0.8 s, over which the loudest of a person is looked for."""
WORD_LEAST_FRAMES = 4
"""A click is no word, and single frames of an echo reach 5.5 dB above what was learnt; the fourth loudest 3.6."""
PERSON_DB = 2.5
"""So much louder than the echo are the loudest 40 ms of a person; of less, the echo alone is the likelier source.

Where a reply's delay is another than the last one's, as on a sound server, the canceller lets half a second of echo pass and
then closes: that sounds like "stop". 595 replies of the house by such paths (delay +0–12 or 30 ms a reply, echo -11 to 0 dB,
in four of five runs a room): 60 detections, one of them alexa, with these limits none; of 70 made to sound alike 13 and 1.
Words over a reply, by how much they are louder than its echo (120 alexa, 100 synthesised stop each; without → with):
20 dB 112 → 112 and 97 → 98, 10 dB 76 → 76 and 87 → 87, 5 dB 54 → 54 and 66 → 65, 0 dB 29 → 25 and 43 → 25.
"""
STARTING_DB = 4.0
"""The same while the canceller still looks for the path of this playback: the loudest 40 ms of its echo reached 3.6."""
STARTING_FRAMES = 200
"""2 s: of 55 such detections 54 came within 1.4 s."""
PAUSE_FRAMES = 100
"""In a pause of the reply the echo counts as loud as in the last second: the room sounds on, a person is as loud as ever."""

LEAST = 1e-9
"""Energy of a sample that stands for none: a muted loudspeaker has a path of 0."""


class DoubleTalkDetector:
    """One echo path. For the capture's thread."""

    def __init__(self) -> None:
        self._played: deque[float] = deque([0.0], maxlen=REACH_FRAMES)
        self._paths: deque[float] = deque(maxlen=LEARNT_FRAMES)
        self._path: float | None = None
        self._blend = 0.0
        self._count = 0
        self._skipped = 0
        self._recent: deque[float] = deque([0.0], maxlen=PAUSE_FRAMES)
        self._above_db: deque[float] = deque(maxlen=WORD_FRAMES)
        self._since = 0

    @property
    def person(self) -> bool:
        """Whether more than the echo was heard in the last 0.8 s; false while the echo is not known."""
        loudest = sorted(self._above_db)[-WORD_LEAST_FRAMES:]
        least_db = STARTING_DB if self._since < STARTING_FRAMES else PERSON_DB
        return len(loudest) == WORD_LEAST_FRAMES and loudest[0] >= least_db

    def begin(self, again: bool) -> None:
        """A playback begins; `again`: right behind another, or one that was held goes on. If not, what somebody said before
        it counts no more."""
        self._since = 0
        if not again:
            self._above_db.clear()

    def blend(self, near: Samples, far: Samples) -> float:
        """0: what the canceller made of this frame, 1: the frame as it was heard, or between."""
        self._since += 1
        played = _energy(far)
        self._played.append(played)
        self._recent.append(played)
        heard, loudest = _energy(near), max(self._played)
        sounds, wanted = loudest > FLOOR, 0.0
        if sounds and self._echo_only():
            self._learn(heard / loudest)
        if self._path is not None:
            echo = self._path * (loudest if sounds else max(max(self._recent), FLOOR))
            above_db = float(10 * np.log10(max(heard, LEAST) / max(echo, LEAST)))
            self._above_db.append(above_db)
            if sounds:
                wanted = float(np.clip((above_db - CLEAR_DB) / (SURE_DB - CLEAR_DB), 0.0, 1.0))
        self._blend += (RISE if wanted > self._blend else FALL) * (wanted - self._blend)
        return self._blend

    def _echo_only(self) -> bool:
        """Whether to learn from this frame: from a person nothing is learnt, from an echo that grew, after a while."""
        if self._blend > 0.5 and self._skipped < SPOKEN_FRAMES:
            self._skipped += 1
            return False
        if self._blend < 0.1:
            self._skipped = max(0, self._skipped - 1)
        return True

    def _learn(self, path: float) -> None:
        self._paths.append(path)
        self._count += 1
        if self._count >= LEAST_FRAMES and self._count % 10 == 0:
            self._path = float(np.quantile(self._paths, ECHO_SHARE))


def _energy(samples: Samples) -> float:
    return float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
