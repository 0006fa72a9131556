"""Behind every utterance the recogniser rests, however its connection ended, and nobody holds the utterance any more."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.engines.stt.protocol import Samples
from appliance.engines.stt.session import Session, Worker
from appliance.errors import SttError
from appliance.wire.frame import Connection, connect, serve
from appliance.wire.message import AudioStart, AudioStop, Failure
from appliance.wire.stt import Chunk, Partial, Transcribe, Transcript


class Listening:
    """An utterance that hears nothing; `refused` makes it fail."""

    def __init__(self, heard: threading.Event, refused: Callable[[], Exception] | None) -> None:
        self._heard, self._refused = heard, refused

    def accept(self, samples: Samples) -> Partial | None:
        self._heard.set()
        if self._refused is not None:
            raise self._refused()  # a new one: an error holds what failed
        return None

    def flush(self) -> Partial:
        return Partial(text="", audio_ms=0)

    def finish(self) -> Transcript:
        return Transcript(text="done")


class Deaf:
    """A recogniser that notes at each rest how many of its utterances are held."""

    name, model, notes = "deaf", None, ()

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.refuses: Callable[[], Exception] | None = None
        self.heard, self.rested = threading.Event(), threading.Event()
        self.held: list[int] = []
        self._made: weakref.WeakSet[Listening] = weakref.WeakSet()

    def prepare(self, request: Transcribe) -> None:
        return None

    learning = prepare

    def utterance(self, request: Transcribe) -> Listening:
        made = Listening(self.heard, self.refuses)
        self._made.add(made)
        return made

    def rest(self) -> None:
        gc.collect()
        self.held.append(len(self._made))
        self.rested.set()

    def counters(self) -> dict[str, float]:
        return {}


@pytest.fixture
async def deaf(tmp_path: Path) -> AsyncIterator[Deaf]:
    recogniser, worker = Deaf(), Worker()

    async def handle(connection: Connection) -> None:
        await Session(connection, recogniser, worker, {}).run()

    server = await serve(tmp_path / "s", "stt", handle)
    yield recogniser
    server.close()
    worker.close()


async def begun(tmp_path: Path, deaf: Deaf) -> Any:
    """A connection whose utterance has heard something."""
    connection = await connect(f"unix://{tmp_path}/s", "stt")
    for message in (Transcribe(), AudioStart(16000), Chunk(audio=bytes(640))):
        await connection.send(message.event())
    assert await asyncio.to_thread(deaf.heard.wait, 5.0)
    return connection


async def test_it_rests_though_the_peer_closes_with_the_transcript(deaf: Deaf, tmp_path: Path) -> None:
    async with await begun(tmp_path, deaf) as connection:
        await connection.send(AudioStop().event())
        assert Transcript.from_event(await connection.receive(5.0)).text == "done"
    assert await asyncio.to_thread(deaf.rested.wait, 5.0)
    assert deaf.held == [0]


async def test_it_rests_where_the_peer_closes_in_the_middle(deaf: Deaf, tmp_path: Path) -> None:
    async with await begun(tmp_path, deaf):
        pass
    assert await asyncio.to_thread(deaf.rested.wait, 5.0)
    assert deaf.held == [0]


async def test_it_rests_where_the_utterance_fails(deaf: Deaf, tmp_path: Path) -> None:
    deaf.refuses = lambda: SttError("refused", "Not this.")
    async with await begun(tmp_path, deaf) as connection:
        assert Failure.from_event(await connection.receive(5.0)).code == "refused"
        assert await asyncio.to_thread(deaf.rested.wait, 5.0)
    assert deaf.held == [0]


async def test_an_error_of_code_ends_the_utterance_and_not_the_connection(deaf: Deaf, tmp_path: Path) -> None:
    deaf.refuses = lambda: ZeroDivisionError("a bug")
    async with await begun(tmp_path, deaf) as connection:
        failure = Failure.from_event(await connection.receive(5.0))
        assert failure.code == "failed" and "a bug" not in failure.text
        deaf.refuses = None
        for message in (Transcribe(), AudioStart(16000), Chunk(audio=bytes(640)), AudioStop()):
            await connection.send(message.event())
        assert Transcript.from_event(await connection.receive(5.0)).text == "done"
