"""In: sound and rubbish on a socket. Out: events, or one EngineError for every way it can go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.errors import EngineError
from appliance.wire.frame import DATA_BYTES, PAYLOAD_BYTES, Connection, connect, serve
from appliance.wire.message import Ping, Pong
from appliance.wire.sound import Detection, Heard


@asynccontextmanager
async def talker(tmp_path: Path, says: bytes) -> AsyncIterator[Connection]:
    """A connection to a service that says these bytes and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(handle, str(tmp_path / "s"))
    async with server, await connect(f"unix://{tmp_path}/s", "stt") as connection:
        yield connection


def head(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


RUBBISH = {
    "end": b"",
    "binary": bytes(range(256)),
    "array": b"[1]\n",
    "empty object": b"{}\n",
    "number type": b'{"type": 1}\n',
    "no JSON": b"hello\n",
    "half a line": b'{"type": "pong"',
    "endless line": b"x" * 200_000 + b"\n",
    "deep": b"[" * 30_000 + b"\n",
    "data not an object": head(type="pong", data=[1]),
    "huge data": head(type="pong", data_length=DATA_BYTES + 1),
    "huge payload": head(type="pong", payload_length=PAYLOAD_BYTES + 1),
    "negative": head(type="pong", payload_length=-1),
    "text length": head(type="pong", data_length="ten"),
    "truth length": head(type="pong", data_length=True),
    "truncated data": head(type="pong", data_length=10) + b"{}",
    "truncated payload": head(type="pong", payload_length=10) + b"123",
    "data no JSON": head(type="pong", data_length=4) + b"abcd",
}


@pytest.mark.parametrize("name", RUBBISH)
async def test_rubbish_is_one_engine_error(tmp_path: Path, name: str) -> None:
    async with talker(tmp_path, RUBBISH[name]) as connection:
        with pytest.raises(EngineError) as caught:
            await connection.receive(2.0)
    assert caught.value.stage == "stt"
    assert caught.value.message.endswith(".")


async def test_messages_arrive_whole(tmp_path: Path) -> None:
    heard = Heard(timestamp=1280, mono_ns=5, speech=0.75, level_dbfs=-30.0, audio=b"\x01\x02" * 500)

    async def answer(connection: Connection) -> None:
        assert Ping.matches(await connection.receive(2.0))
        await connection.send(heard.event())
        await connection.send(Pong("x", {"frames": 3.0}).event())

    server = await serve(tmp_path / "s", "sound", answer)
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
    async with server, await connect(f"unix://{tmp_path}/s", "sound") as connection:
        await connection.send(Ping("x").event())
        assert Heard.from_event(await connection.receive(2.0)) == heard
        assert Pong.from_event(await connection.receive(2.0)).counters == {"frames": 3.0}


async def test_a_wrong_field_is_an_engine_error(tmp_path: Path) -> None:
    says = head(type="detection", data={"name": "alexa", "timestamp": "soon", "score": 1.0, "mono_ns": 1})
    async with talker(tmp_path, says) as connection:
        event = await connection.receive(2.0)
    with pytest.raises(EngineError, match="timestamp"):
        Detection.from_event(event)


async def test_silence_is_a_time_out(tmp_path: Path) -> None:
    async def hold(connection: Connection) -> None:
        await connection.receive()

    server = await serve(tmp_path / "s", "tts", hold)
    async with server, await connect(f"unix://{tmp_path}/s", "tts") as connection:
        with pytest.raises(EngineError) as caught:
            await connection.receive(0.05)
    assert caught.value.code == "receive-timeout"


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        await connect(f"unix://{tmp_path}/none", "stt", 0.5)
    assert caught.value.code == "unreachable"


async def test_a_peer_that_takes_nothing_is_noticed(tmp_path: Path) -> None:
    async def sleep(connection: Connection) -> None:
        await asyncio.sleep(5)

    server = await serve(tmp_path / "s", "stt", sleep)
    async with server, await connect(f"unix://{tmp_path}/s", "stt") as connection:
        with pytest.raises(EngineError) as caught:
            for _ in range(50):
                await connection.send(Heard(0, 0, 0.0, 0.0, audio=bytes(1_000_000)).event(), 0.2)
    assert caught.value.code == "send-timeout"
