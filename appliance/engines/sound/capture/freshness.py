"""In: when each period was read. Out: whether it is live, or stale audio that piled up while nobody could read.

A sound server that was stopped gives minutes of old audio at once when it goes on; pulse never reports the overrun.
"""

from __future__ import annotations

CATCH_UP_S = 0.06
"""A backlog counts as worked off when it is this small."""
CREEP = 0.002
"""Share by which the expected lag follows the measured one a period: card and system clock drift by up to 100 ppm."""


class Freshness:
    """Compares the card's clock (frames) with the system's (seconds)."""

    def __init__(self, stale_s: float) -> None:
        """Audio that lags by more than `stale_s` is stale, until the backlog is worked off."""
        self._stale_s = stale_s
        self._origin_s: float | None = None
        self._audio_s = 0.0
        self._lag_s = 0.0
        self._dropping = False
        self.stale_s = 0.0
        """Seconds of audio judged stale so far."""
        self.wait_s = 0.0
        """How long the oldest sample of the last period waited to be read, beyond the least there is."""

    def take(self, now_s: float, audio_s: float, waited_s: float) -> bool:
        """Whether `audio_s` seconds that were read at `now_s`, after waiting `waited_s` for them, are live."""
        if self._origin_s is None:
            self._origin_s = now_s - audio_s
        self._audio_s += audio_s
        lag_s = now_s - self._origin_s - self._audio_s
        behind_s = lag_s - self._lag_s
        self.wait_s = audio_s + max(0.0, behind_s)
        if self._dropping:
            # A reader that has to wait has nothing left to catch up with: what is missing was lost, not delayed.
            if behind_s > CATCH_UP_S and waited_s < 0.5 * audio_s:
                self.stale_s += audio_s
                return False
            self._dropping = False
            self._lag_s = lag_s
            return True
        if behind_s > self._stale_s:
            self._dropping = True
            self.stale_s += audio_s
            return False
        self._lag_s = lag_s if behind_s < 0 else self._lag_s + CREEP * behind_s
        return True
