"""In: clients that speak Wyoming, well and badly. Out: audio converted, bounded and answered; rubbish is turned away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wyoming.event import Event

from appliance.api import services as api
from appliance.api.pcm import Inlet
from appliance.api.services import Services, reception
from appliance.cli.serve import address
from appliance.errors import EngineError, UsageError
from appliance.settings import load
from appliance.wire.child import Models
from appliance.wire.frame import Connection, connect, serve
from appliance.wire.message import AudioStart, AudioStop, Describe
from appliance.wire.stt import Chunk, Transcript
from appliance.wire.tts import Speech, SpeechStart


class Engine:
    """A child as `Services` uses it, whose engine is a function of the connection."""

    about = None

    def __init__(self, name: str, socket: Path, engine: Callable[[Connection], Awaitable[None]]) -> None:
        self.name, self._socket, self._engine = name, socket, engine

    async def __aenter__(self) -> Engine:
        self._server = await serve(self._socket, self.name, self._engine)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def connect(self, timeout_s: float) -> Connection:
        return await connect(f"unix://{self._socket}", self.name)

    async def outlast(self, word: asyncio.Future[Any], limit_s: float) -> bool:
        await asyncio.wait((word,), timeout=limit_s)
        return word.done()

    def suspect(self, error: EngineError) -> None: ...


async def recogniser(connection: Connection) -> None:
    """Answers with the number of samples that it got."""
    count = 0
    while True:
        event = await connection.receive(5.0)
        if Chunk.matches(event):
            count += len(Chunk.from_event(event).audio) // 2
        elif AudioStop.matches(event):
            answer = Transcript(f"{count} samples", free_text="free words", confidence=0.9, complete=True)
            await connection.send(answer.event())


async def doubter(connection: Connection) -> None:
    while not AudioStop.matches(await connection.receive(5.0)):
        pass
    await connection.send(
        Transcript("open the door", free_text="don't open the door", confidence=0.1, complete=True).event()
    )


async def voice(connection: Connection) -> None:
    await connection.receive(5.0)
    await connection.send(SpeechStart(22050).event())
    await connection.send(Speech(22050, audio=bytes(100)).event())
    await connection.send(AudioStop().event())


@contextlib.asynccontextmanager
async def served(tmp_path: Path, **engines: Any) -> AsyncIterator[tuple[Services, Callable[[], Awaitable[Connection]]]]:
    async with contextlib.AsyncExitStack() as stack:
        children: Any = {}
        for name, engine in engines.items():
            children[name] = await stack.enter_async_context(Engine(name, tmp_path / f"{name}.sock", engine))
        services = Services(load(environ={})[0], Models(), children)
        server = await reception(services, "127.0.0.1", 0)
        stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]

        async def dial() -> Connection:
            return await stack.enter_async_context(await connect(f"tcp://127.0.0.1:{port}", "test"))

        yield services, dial


async def said(client: Connection, rate: int, channels: int, samples: int) -> str:
    await client.send(Event("transcribe", {"language": "en"}))
    await client.send(AudioStart(rate, 2, channels).event())
    for at in range(0, samples, 1000):
        audio = bytes(2 * channels * min(1000, samples - at))
        await client.send(Chunk(rate=rate, channels=channels, audio=audio).event())
    await client.send(AudioStop().event())
    answer = await client.receive(5.0)
    assert answer.type == "transcript"
    return str(answer.data["text"])


async def test_one_connection_may_ask_again_and_again(tmp_path: Path) -> None:
    async with served(tmp_path, stt=recogniser) as (services, dial):
        client = await dial()
        assert await said(client, 16000, 1, 16000) == "16000 samples"
        assert await said(client, 16000, 2, 8000) == "8000 samples"
        assert abs(int((await said(client, 48000, 1, 48000)).split()[0]) - 16000) < 5
        assert services.counters["transcripts"] == 3


async def test_an_utterance_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "UTTERANCE_S", 0.5)
    async with served(tmp_path, stt=recogniser) as (_, dial):
        assert await said(await dial(), 16000, 1, 20000) == "8000 samples"


async def test_an_untrusted_sentence_gives_way_to_what_was_heard(tmp_path: Path) -> None:
    async with served(tmp_path, stt=doubter) as (_, dial):
        assert await said(await dial(), 16000, 1, 1600) == "don't open the door"


async def test_it_tells_what_it_serves_and_speaks(tmp_path: Path) -> None:
    async with served(tmp_path, tts=voice) as (_, dial):
        client = await dial()
        await client.send(Describe().event())
        info = (await client.receive(5.0)).data
        assert len(info["tts"]) == 1 and info["asr"] == [] and info["wake"] == []
        await client.send(Event("synthesize", {"text": "Hello."}))
        assert [(await client.receive(5.0)).type for _ in range(3)] == ["audio-start", "audio-chunk", "audio-stop"]
        await client.send(Event("synthesize", {"text": 7}))
        assert (await client.receive(5.0)).type == "error"


async def test_rubbish_ends_its_own_connection_only(tmp_path: Path) -> None:
    async with served(tmp_path, stt=recogniser) as (_, dial):
        good, bad = await dial(), await dial()
        bad._writer.write(b"[1]\n")
        with pytest.raises(EngineError):
            await bad.receive(5.0)
        assert await said(good, 16000, 1, 160) == "160 samples"


async def test_one_client_too_many_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_CONNECTIONS", 1)
    async with served(tmp_path, stt=recogniser) as (services, dial):
        await said(await dial(), 16000, 1, 160)
        answer = await (await dial()).receive(5.0)
        assert (answer.type, answer.data["code"]) == ("error", "busy") and services.counters["refused"] == 1


@pytest.mark.parametrize(("rate", "width", "channels"), [(16000, 3, 1), (4000, 2, 1), (16000, 2, 0), (10**9, 2, 1)])
def test_forms_that_cannot_be_read(rate: int, width: int, channels: int) -> None:
    with pytest.raises(EngineError, match="is not taken"):
        Inlet(rate, width, channels)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_a_tone_keeps_its_pitch_and_level_whatever_the_blocks(rate: int) -> None:
    tone = np.rint(10000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype("<i2").tobytes()
    inlet, made, at = Inlet(rate, 2, 1), b"", 0
    for size in np.random.default_rng(1).integers(1, 3000, 500):
        made += inlet.take(tone[at : at + int(size)])
        at += int(size)
    heard = np.frombuffer(made, "<i2").astype(float)
    assert abs(len(heard) - 16000) < 10
    spectrum = np.abs(np.fft.rfft(heard[:15900] * np.hanning(15900)))
    assert abs(np.argmax(spectrum) * 16000 / 15900 - 440) < 2
    assert 6300 < np.sqrt((heard[1000:-1000] ** 2).mean()) < 7200


def test_eight_and_thirty_two_bits() -> None:
    assert Inlet(16000, 1, 1).take(bytes([128, 255, 0])) == np.array([0, 32512, -32768], "<i2").tobytes()
    assert Inlet(16000, 4, 1).take(np.array([1 << 30], "<i4").tobytes()) == np.array([16384], "<i2").tobytes()


@pytest.mark.parametrize("text", ["10300", "host:", ":10300", "host:0", "host:70000", "host:x"])
def test_bad_addresses(text: str) -> None:
    with pytest.raises(UsageError):
        address(text)


def test_addresses() -> None:
    assert address("[::1]:10300") == ("::1", 10300)
