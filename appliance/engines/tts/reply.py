"""In: a text to say. Out: speech in short messages, the first as soon as it exists; the next piece is made meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator

from appliance.engines.tts.maker import Made, Maker
from appliance.engines.tts.normalise import normalised
from appliance.engines.tts.seam import Samples
from appliance.engines.tts.sentences import Piece, started_early, whole_sentences
from appliance.engines.tts.trim import silence
from appliance.errors import TtsError

MESSAGE_MS = 80
MOST_LETTERS = 20_000
"""About twenty minutes of speech."""


class Reply:
    """One text being spoken. `close` makes the worker stop wanting it."""

    def __init__(self, text: str, maker: Maker) -> None:
        """Raises TtsError if there is nothing to say, or far too much."""
        if len(text) > MOST_LETTERS:
            raise TtsError("too-long", f"The text is longer than {MOST_LETTERS} letters.")
        self._maker = maker
        self._cancelled = threading.Event()
        self._pieces = self._plan(normalised(text, maker.speaker.language))
        if not self._pieces:
            raise TtsError("nothing-to-say", "The text holds nothing that can be spoken.")
        self.cached = False
        """Whether the first audible piece came out of the cache; known with the first samples."""

    def close(self) -> None:
        self._cancelled.set()

    async def messages(self) -> AsyncGenerator[Samples, None]:
        """Samples in the order of the text, at most MESSAGE_MS each; the first begins audibly. Raises TtsError."""
        step = self._maker.speaker.rate_hz * MESSAGE_MS // 1000
        async for samples in self._speech():
            for at in range(0, len(samples), step):
                yield samples[at : at + step]

    async def _speech(self) -> AsyncGenerator[Samples, None]:
        """Pieces with the pauses between them. One piece is made ahead, so memory does not grow with the text."""
        pause: Samples | None = None
        ahead = self._begin(0)
        try:
            for number, piece in enumerate(self._pieces):
                made = await ahead
                if number + 1 < len(self._pieces):
                    ahead = self._begin(number + 1)
                if not len(made.samples):
                    continue
                if pause is None:
                    self.cached = made.cached
                else:
                    yield pause
                yield made.samples
                pause = silence(piece.pause_ms, self._maker.speaker.rate_hz)
        finally:
            self.close()
            ahead.cancel()
            with contextlib.suppress(asyncio.CancelledError, TtsError):
                await ahead

    def _begin(self, number: int) -> asyncio.Task[Made]:
        text = self._pieces[number].text
        return asyncio.create_task(self._maker.make(text, lambda: not self._cancelled.is_set()), name="tts piece")

    def _plan(self, text: str) -> list[Piece]:
        """Whole sentences, the first one cut for an early start unless it is kept as a whole."""
        sentences = whole_sentences(text)
        if not sentences or self._maker.kept(sentences[0].text):
            return sentences
        return [*started_early(sentences[0]), *sentences[1:]]
