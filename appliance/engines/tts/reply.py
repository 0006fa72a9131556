"""In: a text to say. Out: speech in short messages, the first as soon as it exists; the next piece is made meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator

from appliance.engines.tts.maker import Made, Maker
from appliance.engines.tts.normalise import normalised
from appliance.engines.tts.protocol import Samples
from appliance.engines.tts.sentences import pieces
from appliance.engines.tts.trim import silence
from appliance.errors import TtsError

MESSAGE_MS = 80
AHEAD = 1
"""Pieces made while one is sent; two at once would take half the time and 50 MB more, which the network never gives back."""
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
        self._pieces = pieces(normalised(text, maker.speaker.language), maker.kept)
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
        """Pieces with the pauses between them. AHEAD pieces are made ahead, so memory does not grow with the text."""
        pause: Samples | None = None
        making: deque[asyncio.Task[Made]] = deque([self._begin(0)])
        begun = 1
        try:
            for piece in self._pieces:
                made = await making.popleft()
                while begun < len(self._pieces) and len(making) < AHEAD:
                    making.append(self._begin(begun))
                    begun += 1
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
            for task in making:
                task.cancel()
            await asyncio.gather(*making, return_exceptions=True)

    def _begin(self, number: int) -> asyncio.Task[Made]:
        text = self._pieces[number].text
        return asyncio.create_task(self._maker.make(text, lambda: not self._cancelled.is_set()), name="tts piece")
