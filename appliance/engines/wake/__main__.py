"""In: `--socket PATH --config FILE`. Out: wake words heard in the audio of each connection, for `appliance serve`.

detect → audio-start → audio-chunk* → (detection …) → audio-stop → not-detected where none was heard: Wyoming's own events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from wyoming.event import Event
from wyoming.wake import Detection as WyomingDetection
from wyoming.wake import NotDetected

from appliance.engines.host import Engine, main
from appliance.engines.sound.pipeline import SoundPipeline
from appliance.engines.sound.vad import EnergyVad
from appliance.engines.sound.wake import open_engine
from appliance.errors import WakeError
from appliance.wire.child import ChildConfig
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStop, Describe, Message, Ping, Pong, Ready
from appliance.wire.sound import STOP_WORD, Detection
from appliance.wire.stt import Chunk


class Listener:
    """One connection: an ear of its own, so that callers do not hear each other."""

    def __init__(self, connection: Connection, config: ChildConfig) -> None:
        """Raises WakeError where no wake word can be listened for."""
        self._connection = connection
        wake = config.settings.wake
        engine = open_engine(wake, [model for model in config.models.wake if model.name != STOP_WORD])
        if engine is None:
            raise WakeError("no-wake", "wake.engine = none: there is no wake word to listen for.")
        self._heard: list[Message] = []
        self._ear = SoundPipeline(config.settings.sound, wake, engine, EnergyVad(), self._heard.append)
        self._found = 0

    async def run(self) -> None:
        """Until the peer closes. Raises EngineError then."""
        while True:
            event = await self._connection.receive()
            if Chunk.matches(event):
                await self._hear(Chunk.from_event(event))
            elif AudioStop.matches(event):
                if not self._found:
                    await self._connection.send(NotDetected().event())
                self._found = 0
            else:
                await self._answer(event)

    async def _answer(self, event: Event) -> None:
        if Ping.matches(event):
            await self._connection.send(Pong(Ping.from_event(event).text, {}).event())
        elif Describe.matches(event):
            await self._connection.send(Ready("wake", None, {}, {}, ()).event())

    async def _hear(self, chunk: Chunk) -> None:
        samples = np.frombuffer(chunk.audio[: len(chunk.audio) // 2 * 2], "<i2").astype(np.int16)
        await asyncio.to_thread(self._ear.take, samples, 0)
        told, self._heard[:] = list(self._heard), []
        for message in told:
            if isinstance(message, Detection):
                self._found += 1
                await self._connection.send(WyomingDetection(message.name, message.timestamp).event())


@asynccontextmanager
async def wake(config: ChildConfig) -> AsyncIterator[Engine]:
    """Makes sure that the models load, then serves an ear a connection."""
    open_engine(config.settings.wake, [model for model in config.models.wake if model.name != STOP_WORD])

    async def serve(connection: Connection) -> None:
        await Listener(connection, config).run()

    yield serve


if __name__ == "__main__":
    main("wake", wake)
