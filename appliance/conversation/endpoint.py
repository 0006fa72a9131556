"""In: voice activity and partial readings on the audio's own time line. Out: the decision that the person has finished.

Pure: no clock, no I/O. All times are audio milliseconds, so that tests are instant and a slow machine decides alike.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from appliance.settings.conversation import ConversationSettings

PAUSE_FACTOR = 1.1
"""A speaker who paused p ms inside this utterance is given 1.1 · p before silence counts as the end, where more may
follow: of 7 later pauses in 200 orders 6 were 0.5 to 0.7 of the longest before them, one 1.6 times as long."""
STEADY_MS = 1500
"""A complete reading unchanged for this long ends the turn although voice goes on (television, a second person)."""
STEADY_WORD_MS = 4000
"""The same for one word alone: kitchen noise ahead of an order was read as "enough", surely, until the order was cut off."""
QUIETER_DB = 26.0
"""Voice whose syllables are all this much below the loudest of the wake word belongs to somebody further away."""
SYLLABLES_MS = 500
"""Time within which a voice shows its loudness: between its vowels every voice is quiet."""
HYSTERESIS = 0.15
"""Speech goes on while its probability is at most this much below the threshold it began at (silero's own rule)."""
NONSENSE = 0.4
"""Confidence below which a short sound that was read as a word was none: a cough, the wake word's last syllable."""
NOISY_DB = 15.0
"""A sound whose loudest block stands no more than this above the room's noise may be the noise itself."""
NOISE_MS = 2000
"""Such a sound that was read as at most one word is no speech, up to this length."""
SHORT_MS = 500
"""Speech up to this long may be such a sound."""
TAIL_MS = 300
"""A sound that ends this early behind a wake word is its own last syllable."""
SURE = 0.5
"""Confidence from which a complete reading shortens the wait."""
CLEAR = 0.8
"""Confidence from which one short word alone does: noise ahead of an order was read as "quiet" at 0.6."""


@dataclass(frozen=True, slots=True)
class PartialReading:
    """What the recogniser made of the speech so far."""

    text: str
    audio_ms: int
    """How much of the utterance is in it, ms since its first sample."""
    complete: bool
    extendable: bool
    slots_ahead: int
    """Slots that more words could still fill, counted up to 2."""
    confidence: float | None = None
    more_expected: bool = False
    """The beginning of a longer sentence fits the sound clearly better."""
    flushed: bool = False
    """The recogniser was led to an end: every word of the audio so far is in it."""
    brief: bool = False
    """A command that the device does itself: one clause, after which people stop although the grammar allows more."""


@dataclass(frozen=True, slots=True)
class EndOfSpeechDecision:
    """The end of speech: decided at `at_ms`, with the last speech at `speech_end_ms` (None: nobody spoke)."""

    reason: str
    at_ms: int
    speech_end_ms: int | None


class EndpointPolicy:
    """The policy of one utterance. Feed `heard` and `read`; ask `decide` after every block."""

    def __init__(
        self, settings: ConversationSettings, vad_threshold: float, wake_level_dbfs: float | None = None
    ) -> None:
        self._settings = settings
        self._threshold = vad_threshold
        self._wake_level_dbfs = wake_level_dbfs
        self._after_wake = wake_level_dbfs is not None
        self._took_back = False
        self._all_dbfs: list[float] = []
        self._spoken_dbfs: list[float] = []
        self._levels: deque[tuple[int, float]] = deque()
        self._now_ms = 0
        self._first_ms: int | None = None
        self._end_ms: int | None = None
        self._longest_pause_ms = 0
        self._speaking = False
        self._reading: PartialReading | None = None
        self._unchanged_since_ms = 0

    @property
    def speech_end_ms(self) -> int | None:
        """End of the last block with speech."""
        return self._end_ms

    @property
    def silence_ms(self) -> int:
        """Silence since the last speech; 0 while nobody has spoken."""
        return 0 if self._end_ms is None else self._now_ms - self._end_ms

    def heard(self, start_ms: int, length_ms: int, speech: float, level_dbfs: float) -> None:
        """A block of audio: its place, the probability of speech in it and its loudness."""
        self._now_ms = start_ms + length_ms
        needed = self._threshold - (HYSTERESIS if self._speaking else 0.0)
        self._levels.append((self._now_ms, level_dbfs))
        self._all_dbfs.append(level_dbfs)
        while self._levels[0][0] <= self._now_ms - SYLLABLES_MS:
            self._levels.popleft()
        self._speaking = speech >= needed and not self._too_far()
        if not self._speaking:
            return
        self._spoken_dbfs.append(level_dbfs)
        if self._first_ms is None:
            self._first_ms = start_ms
        elif self._end_ms is not None:
            self._longest_pause_ms = max(self._longest_pause_ms, start_ms - self._end_ms)
        self._end_ms = self._now_ms

    def read(self, reading: PartialReading) -> None:
        """A partial reading arrived."""
        if self._reading is None or reading.text != self._reading.text:
            self._unchanged_since_ms = self._now_ms
        self._reading = reading
        if not reading.flushed or self._first_ms is None or self._end_ms is None or reading.audio_ms < self._end_ms:
            return
        short = self._end_ms - self._first_ms <= SHORT_MS
        nonsense = reading.complete and reading.confidence is not None and reading.confidence < NONSENSE
        tail = self._after_wake and self._end_ms <= TAIL_MS
        bare = " " not in reading.text
        noise = bare and self._end_ms - self._first_ms <= NOISE_MS and self._above_noise_db() <= NOISY_DB
        if self.silence_ms and ((short and (not reading.text or nonsense)) or tail or noise):
            self._first_ms = self._end_ms = self._reading = None
            self._longest_pause_ms = 0
            self._spoken_dbfs.clear()
            self._took_back = True

    def took_back(self) -> bool:
        """Whether, since it was last asked, what had counted as speech turned out to hold no word."""
        took_back, self._took_back = self._took_back, False
        return took_back

    def decide(self) -> EndOfSpeechDecision | None:
        """The decision, once there is one."""
        s = self._settings
        if self._end_ms is None or self._first_ms is None:
            return self._over("no_speech") if self._now_ms >= s.no_speech_s * 1000 else None
        if self._now_ms - self._first_ms >= s.utterance_limit_s * 1000:
            return self._over("too_long")
        reading = self._current()
        if self.silence_ms >= self._wait_ms(reading):
            return self._over("incomplete" if reading is None or not reading.complete else "complete")
        if self._steady():
            return self._over("steady")
        return None

    def ended(self, reason: str) -> EndOfSpeechDecision:
        """The person said by other means (the button) that this was all."""
        return self._over(reason)

    def _steady(self) -> bool:
        reading = self._reading
        if reading is None or not reading.complete or reading.extendable:
            return False
        return self._now_ms - self._unchanged_since_ms >= (STEADY_MS if " " in reading.text else STEADY_WORD_MS)

    def _current(self) -> PartialReading | None:
        """The reading, if it holds all speech so far; an older one says nothing about the last words."""
        if self._reading is None or self._end_ms is None or self._reading.audio_ms < self._end_ms:
            return None
        return self._reading

    def _wait_ms(self, reading: PartialReading | None) -> float:
        s = self._settings
        patience = min(self._longest_pause_ms * PAUSE_FACTOR, s.incomplete_wait_ms)
        if reading is None or not reading.complete or (reading.confidence is not None and reading.confidence < SURE):
            wait: float = s.incomplete_wait_ms
        elif reading.more_expected:
            wait = s.extendable_wait_ms if reading.brief else s.incomplete_wait_ms
        elif not reading.slots_ahead:
            wait, patience = s.complete_wait_ms, 0.0  # nothing can follow, however slow the speaker is
        elif reading.brief:
            wait = s.complete_wait_ms
        else:
            wait = s.detail_wait_ms if reading.slots_ahead == 1 else s.extendable_wait_ms
        short = self._end_ms is not None and self._first_ms is not None and self._end_ms - self._first_ms <= SHORT_MS
        if short and reading is not None and " " not in reading.text:  # noise ahead of a voice is often read so
            clear = reading.confidence is None or reading.confidence >= CLEAR
            wait = max(wait, s.single_word_wait_ms if clear else s.incomplete_wait_ms)
        return max(wait, patience)

    def _above_noise_db(self) -> float:
        """How far the loudest block of the speech stands above the quieter fifth of all blocks so far."""
        return max(self._spoken_dbfs, default=0.0) - sorted(self._all_dbfs)[len(self._all_dbfs) // 5]

    def _too_far(self) -> bool:
        loudest_dbfs = max(level_dbfs for _, level_dbfs in self._levels)
        return self._wake_level_dbfs is not None and loudest_dbfs < self._wake_level_dbfs - QUIETER_DB

    def _over(self, reason: str) -> EndOfSpeechDecision:
        return EndOfSpeechDecision(reason, self._now_ms, self._end_ms)
