"""The one owner of the loudspeaker: all that sounds goes through it, one sound at a time, the more important first.

In: pieces of speech and names of tones, each with its rank. Out: playbacks on the sound engine, and the error
`interrupted` to whoever had to give way.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from enum import IntEnum
from typing import Any, Protocol

from appliance.conversation import tone
from appliance.conversation.clients.sound import PlaybackResult
from appliance.errors import PlayError

OWN_ECHO_S = 0.6
"""How long after its last word the device may still hear itself: 0.3 s each for the room and the wake engine."""
STALL_S = 2.0
"""A card that has not drained so long after the end of a sound is stalled."""
SILENCED_S = 1.0
"""The sound engine has this long to take a cancel; then the next sound begins anyway, which ends the one before."""
MOST_WAITING = 16
"""Sounds that may wait; one more is refused."""


class Rank(IntEnum):
    """What may interrupt what: the higher one."""

    CHIME = 0
    """A short tone about this very moment: it waits for nothing, late it would say something wrong."""
    ALARM = 1
    ANNOUNCEMENT = 2
    REPLY = 3


VOICES = {Rank.CHIME: "chime", Rank.ALARM: "alarm", Rank.ANNOUNCEMENT: "reply", Rank.REPLY: "reply"}
"""Whose loudness holds in the sound engine."""


class Card(Protocol):
    """What plays: the client of the sound engine."""

    async def play(
        self,
        pieces: AsyncIterator[bytes],
        rate_hz: int,
        voice: str = ...,
        stall_s: float = ...,
        on_first: Callable[[int], None] = ...,
    ) -> PlaybackResult:
        """Plays to the end; being cancelled silences the card."""

    async def set_volume(self, percent: int, voice: str = ...) -> None:
        """Loudness of a voice, 0..100."""


class _Use:
    """A sound under way."""

    def __init__(self, rank: Rank, task: asyncio.Task[PlaybackResult]) -> None:
        self.rank = rank
        self.task = task
        self.interrupted = False


class Loudspeaker:
    """One sound at a time. `play` and `tone` wait for their turn, sound, and return when the card has drained."""

    def __init__(self, card: Card, usual_percent: Callable[[], int] = lambda: 100) -> None:
        """`usual_percent`: the loudness of replies, to which it returns after a sound that had its own."""
        self._card = card
        self._usual_percent = usual_percent
        self._use: _Use | None = None
        self._taken = False
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        """A heap: the highest rank first, then who came first."""
        self._text = ""
        self._text_until_s = float("-inf")
        self.interrupted = 0
        """Sounds that had to give way to a more important one."""

    @property
    def rank(self) -> Rank | None:
        """Of what sounds now; None while all is silent."""
        return None if self._use is None else self._use.rank

    def says(self, word: str) -> bool:
        """Whether the device is saying `word` itself, or just did: what the echo canceller leaves may be enough to hear."""
        return time.monotonic() < self._text_until_s and word.replace("_", " ").casefold() in self._text

    async def tone(self, name: str, rank: Rank = Rank.CHIME) -> None:
        """Plays a tone of `tone.MELODIES` to its end. Raises as `play`."""

        async def pieces() -> AsyncIterator[bytes]:
            yield tone.samples(name)

        await self.play(rank, pieces(), tone.RATE_HZ)

    async def play(
        self,
        rank: Rank,
        pieces: AsyncIterator[bytes],
        rate_hz: int,
        *,
        text: str = "",
        stall_s: float = STALL_S,
        on_first: Callable[[int], None] = lambda first_ns: None,
        volume_percent: int | None = None,
    ) -> PlaybackResult:
        """Plays mono S16 pieces once the loudspeaker is free; a lesser sound under way is ended.

        `text`: what is said; `volume_percent`: a loudness for this sound alone. Being cancelled silences it. Raises
        PlayError `interrupted` where a more important sound took over, `busy` where a chime would have to wait or too many
        wait already; PlayError and EngineError as the client of the sound engine.
        """
        await self._acquire(rank)
        try:
            if self._outranked(rank):
                raise self._gave_way()
            if volume_percent is not None:
                await self._card.set_volume(volume_percent, VOICES[rank])
            try:
                return await self._play(rank, self._card.play(pieces, rate_hz, VOICES[rank], stall_s, on_first), text)
            finally:
                if volume_percent is not None:
                    await self._card.set_volume(self._usual_percent(), VOICES[rank])
        finally:
            self._release()

    async def _play(self, rank: Rank, playing: Coroutine[Any, Any, PlaybackResult], text: str) -> PlaybackResult:
        use = self._use = _Use(rank, asyncio.create_task(playing, name=f"play {VOICES[rank]}"))
        if text:
            self._text, self._text_until_s = text.casefold(), float("inf")
        try:
            await asyncio.wait((use.task,))
            if use.interrupted:
                raise self._gave_way()
            return use.task.result()
        finally:
            self._use = None
            if text:
                self._text_until_s = time.monotonic() + OWN_ECHO_S
            if not use.task.done():
                use.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait((use.task,), timeout=SILENCED_S)

    def _gave_way(self) -> PlayError:
        self.interrupted += 1
        return PlayError("interrupted", "Something more important was to be heard.")

    # -- whose turn it is -----------------------------------------------------------------------------------------

    async def _acquire(self, rank: Rank) -> None:
        if not self._taken:
            self._taken = True
            return
        use = self._use
        if use is not None and rank > use.rank:
            use.interrupted = True
            use.task.cancel()
        elif rank is Rank.CHIME:
            raise PlayError("busy", "The loudspeaker is in use.")
        if len(self._waiting) >= MOST_WAITING:
            raise PlayError("busy", "Too much waits for the loudspeaker.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-rank, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # its turn had come already: it is the next one's now
            raise

    def _outranked(self, rank: Rank) -> bool:
        """Whether a more important sound began to wait after this one was given its turn."""
        return any(-waiting > rank for waiting, _, turn in self._waiting if not turn.done())

    def _release(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
