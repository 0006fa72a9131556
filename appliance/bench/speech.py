"""In: a text, a connection to a synthesiser. Out: what it says, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator

from appliance.errors import EngineError
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStop, Failure
from appliance.wire.tts import Speech, SpeechStart, Synthesize

PIECE_LIMIT_S = 60.0
"""The longest wait for a piece: far more than a sentence takes anywhere."""


async def speech(connection: Connection, text: str) -> AsyncIterator[SpeechStart | Speech]:
    """The start, then audio, up to the end of the reply. Raises EngineError."""
    await connection.send(Synthesize(text).event())
    while not AudioStop.here(event := await connection.receive(PIECE_LIMIT_S)):
        if Failure.here(event):
            raise EngineError("failed", Failure.of(event).text, "tts")
        if SpeechStart.here(event):
            yield SpeechStart.of(event)
        elif Speech.here(event):
            yield Speech.of(event)
