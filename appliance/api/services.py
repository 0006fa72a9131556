"""In: Wyoming clients on TCP (Home Assistant, say). Out: this machine's recogniser, voice and wake words as services.

Reception only: every connection is passed on to a supervised engine of its own stage. Lengths are bounded by the wire,
connections by MOST_CONNECTIONS, an utterance by UTTERANCE_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Info, TtsProgram, TtsVoice, WakeModel, WakeProgram

from appliance import __version__
from appliance.api.pcm import Inlet
from appliance.conversation.clients.stt import Transcription
from appliance.errors import EngineError, StageError
from appliance.settings import Settings
from appliance.supervisor.child import Child
from appliance.wire.child import Models
from appliance.wire.frame import LINE_BYTES, Connection
from appliance.wire.message import AudioStart, AudioStop, Describe, Failure, Ping, Pong
from appliance.wire.stt import Chunk, Transcribe, Transcript
from appliance.wire.tts import Synthesize

log = logging.getLogger(__name__)

US = Attribution(name="Voice appliance", url="")
MOST_CONNECTIONS = 16
"""One more is told so and closed."""
SILENT_S = 120.0
"""A client that says nothing for so long is closed."""
UTTERANCE_S = 60.0
READY_S = 10.0
FINAL_S = 10.0
PIECE_S = 60.0


class Services:
    """Reception for the stages that have a child in `children`."""

    def __init__(
        self, settings: Settings, models: Models, children: Mapping[str, Child], listening: Transcribe | None = None
    ) -> None:
        """`listening`: how the recogniser is asked to listen (its grammar); None: free text."""
        self._settings, self._models, self._children = settings, models, children
        self._listening = listening or Transcribe(language=settings.device.language)
        self._open = 0
        self.counters = dict.fromkeys(("connections", "refused", "transcripts", "sentences", "detections"), 0)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first word to its last. For asyncio.start_server with limit=LINE_BYTES."""
        connection = Connection(reader, writer, "serve", "The client")
        self._open += 1
        self.counters["connections"] += 1
        try:
            if self._open > MOST_CONNECTIONS:
                self.counters["refused"] += 1
                await connection.send(Failure(f"{MOST_CONNECTIONS} clients are served already.", "busy").event())
                return
            await self._serve(connection)
        except EngineError as error:
            log.debug("serve: %s", error)
        except StageError as error:
            with contextlib.suppress(EngineError):
                await connection.send(Failure(error.message, error.code).event())
        finally:
            self._open -= 1
            await connection.close()

    async def _serve(self, client: Connection) -> None:
        listening = self._listening
        while True:
            event = await client.receive(SILENT_S)
            if Describe.matches(event):
                await client.send(self.info().event())
            elif Ping.matches(event):
                await client.send(Pong(Ping.from_event(event).text).event())
            elif event.type == "transcribe" and "stt" in self._children:
                listening = self._listening
            elif event.type == "synthesize" and "tts" in self._children:
                await self._speak(client, event)
            elif event.type == "detect" and "wake" in self._children:
                await self._watch(client)
            elif AudioStart.matches(event) and "stt" in self._children:
                await self._transcribe(client, AudioStart.from_event(event), listening)

    async def _transcribe(self, client: Connection, start: AudioStart, listening: Transcribe) -> None:
        """An utterance of this client, up to its audio-stop. A foreign rate is converted."""
        inlet = Inlet(start.rate, start.width, start.channels)
        left = int(UTTERANCE_S * 32000)
        async with Transcription(self._children["stt"], listening, READY_S, lambda partial: None, False) as heard:
            while not AudioStop.matches(event := await client.receive(SILENT_S)):
                if not Chunk.matches(event) or left <= 0:
                    continue
                audio = inlet.take(event.payload or b"")[:left]
                left -= len(audio)
                if audio:
                    await heard.hear(audio)
            final = await heard.finish(FINAL_S)
        self.counters["transcripts"] += 1
        text = self._chosen(final)
        answer = Event(type="transcript", data={"text": text, "language": self._settings.device.language})
        await client.send(answer)

    def _chosen(self, final: Transcript) -> str:
        """The grammar's sentence where it is trusted, else what was freely heard: a client may expect dictation."""
        sure = final.confidence is None or final.confidence >= self._settings.intents.accept_from
        return final.text if final.text and final.complete and sure else final.free_text or final.text

    async def _speak(self, client: Connection, event: Event) -> None:
        text = event.data.get("text")
        if not isinstance(text, str) or not text.strip():
            await client.send(Failure("There is no text to speak.", "no-text").event())
            return
        async with await self._children["tts"].connect(READY_S) as voice:
            await voice.send(Synthesize(text).event())
            while True:
                said = await voice.receive(PIECE_S)
                await client.send(said, PIECE_S)
                if AudioStop.matches(said) or Failure.matches(said):
                    self.counters["sentences"] += 1
                    return

    async def _watch(self, client: Connection) -> None:
        """Passes audio to an ear of its own and its detections back, until the client stops or leaves."""
        async with await self._children["wake"].connect(READY_S) as ear:
            back = asyncio.create_task(self._tell(ear, client), name="serve wake")
            try:
                inlet = Inlet(16000, 2, 1)
                while True:
                    event = await client.receive(SILENT_S)
                    if AudioStart.matches(event):
                        start = AudioStart.from_event(event)
                        inlet = Inlet(start.rate, start.width, start.channels)
                    elif Chunk.matches(event):
                        await ear.send(Chunk(audio=inlet.take(event.payload or b"")).event())
                    elif AudioStop.matches(event):
                        await ear.send(AudioStop().event())
                        await asyncio.wait((back,), timeout=1.0)
                        return
                    if back.done():
                        return
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)

    async def _tell(self, ear: Connection, client: Connection) -> None:
        """Until the ear answers an audio-stop."""
        while True:
            event = await ear.receive()
            await client.send(event)
            self.counters["detections"] += event.type == "detection"
            if event.type == "not-detected":
                return

    def info(self) -> Info:
        """What is served, as Wyoming's `describe` asks for it."""
        language = self._settings.device.language
        stt, tts, wake = (self._children.get(stage) for stage in ("stt", "tts", "wake"))
        return Info(
            asr=[] if stt is None else [
                AsrProgram("appliance", US, True, "Recogniser of the voice appliance", __version__,
                           [AsrModel(_model(stt), US, True, None, None, [language])])
            ],
            tts=[] if tts is None else [
                TtsProgram("appliance", US, True, "Voice of the voice appliance", __version__,
                           [TtsVoice(_model(tts), US, True, None, None, [language])])
            ],
            wake=[] if wake is None else [
                WakeProgram("appliance", US, True, "Wake words of the voice appliance", __version__,
                            [WakeModel(model.name, US, True, None, None, [], model.name.replace("_", " "))
                             for model in self._models.wake if model.name in self._settings.wake.words])
            ],
        )  # fmt: skip


def _model(child: Child) -> str:
    about = child.about
    return (about.model or about.engine) if about is not None else child.name


async def reception(services: Services, host: str, port: int) -> asyncio.Server:
    """Listens. Raises OSError where the address cannot be had."""
    return await asyncio.start_server(services.handle, host, port, limit=LINE_BYTES)
