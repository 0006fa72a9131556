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
    while not AudioStop.matches(event := await connection.receive(PIECE_LIMIT_S)):
        if Failure.matches(event):
            raise EngineError("failed", Failure.from_event(event).text, "tts")
        if SpeechStart.matches(event):
            yield SpeechStart.from_event(event)
        elif Speech.matches(event):
            yield Speech.from_event(event)
