"""The real synthesiser child on its socket, with the neural voice and with the starter voice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from appliance.engines.tts.trim import AUDIBLE
from appliance.errors import EngineError
from appliance.settings import Settings
from appliance.settings.device import DeviceSettings
from appliance.settings.engines import TtsSettings
from appliance.sim.lone_child import LoneChild, lone_engine
from appliance.wire.child import ModelFile, Models
from appliance.wire.message import AudioStop, Failure, Ping, Pong
from appliance.wire.tts import Speech, SpeechStart, Synthesize, Warm
from tests.shared import needs_shared
from tests.voices import amy

TEXT = "Set a timer for five minutes, and tell me when it is over."
LONG = "The kitchen light is on, and the heating is set to twenty one degrees. " * 36
"""About five hundred words."""


def _settings(state: Path, **tts: object) -> Settings:
    return Settings(device=DeviceSettings(state_dir=state), tts=TtsSettings(**tts))


@pytest.fixture(params=["espeak", pytest.param("vits", marks=needs_shared)])
async def child(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LoneChild]:
    models = Models(tts=amy()) if request.param == "vits" else Models()
    async with lone_engine("tts", _settings(tmp_path), models) as engine:
        assert engine.about.engine == request.param
        yield engine


async def _say(child: LoneChild, text: str) -> tuple[SpeechStart, list[bytes]]:
    async with await child.connect() as connection:
        await connection.send(Synthesize(text).event())
        start = SpeechStart.from_event(await connection.receive(30))
        pieces = []
        while Speech.matches(event := await connection.receive(30)):
            pieces.append(Speech.from_event(event).audio)
        assert AudioStop.matches(event)
    return start, pieces


async def _counters(child: LoneChild) -> dict[str, float]:
    async with await child.connect() as connection:
        await connection.send(Ping("x").event())
        pong = Pong.from_event(await connection.receive(5))
    assert pong.text == "x"
    return pong.counters or {}


def _samples(pieces: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(pieces), "<i2").astype(np.float64)


async def test_it_sounds_like_speech(child: LoneChild) -> None:
    start, pieces = await _say(child, TEXT)
    samples = _samples(pieces)
    assert (start.width, start.channels) == (2, 1)
    assert 2.5 < len(samples) / start.rate < 7.0
    assert 500 < np.sqrt(np.mean(samples**2)) < 12000
    frames = samples[: len(samples) // 441 * 441].reshape(-1, 441)
    loud = np.sqrt((frames**2).mean(axis=1))
    assert loud.std() > 0.4 * loud.mean(), "a voice rises and falls, a tone does not"
    assert np.abs(np.diff(samples)).max() < 30000


async def test_the_first_message_is_audible_at_once(child: LoneChild) -> None:
    for text in (TEXT, "Yes.", "Five.", "Hello."):
        start, pieces = await _say(child, text)
        heard = np.flatnonzero(np.abs(_samples(pieces[:1])) >= AUDIBLE)
        assert len(heard)
        assert heard[0] <= start.rate * 4 // 1000
        assert all(len(piece) <= 2 * start.rate * 0.1 for piece in pieces)


async def test_the_second_time_comes_out_of_the_cache_equal(child: LoneChild) -> None:
    first, made = await _say(child, TEXT)
    again, kept = await _say(child, TEXT)
    assert (first.cached, again.cached) == (False, True)
    assert b"".join(made) == b"".join(kept)


async def test_what_was_warmed_is_cached(child: LoneChild) -> None:
    async with await child.connect() as connection:
        await connection.send(Warm((TEXT, "...", "Good morning. Sleep well.")).event())
        assert AudioStop.matches(await connection.receive(30))
    assert (await _counters(child))["warmed"] == 3
    start, _ = await _say(child, TEXT)
    assert start.cached
    start, _ = await _say(child, "Sleep well.")
    assert start.cached


async def test_a_reply_goes_before_warming(child: LoneChild) -> None:
    async with await child.connect() as warming:
        await warming.send(Warm(tuple(f"Phrase number {n} is kept for later." for n in range(12))).event())
        await _say(child, TEXT)
        assert (await _counters(child))["warmed"] < 12
        assert AudioStop.matches(await warming.receive(60))
    assert (await _counters(child))["warmed"] == 12


async def test_closing_cancels(child: LoneChild) -> None:
    connection = await child.connect()
    await connection.send(Synthesize(LONG).event())
    await connection.receive(10)
    await connection.close()
    deadline_s = time.monotonic() + 10
    while not (await _counters(child))["cancelled"]:
        assert time.monotonic() < deadline_s
    made, cpu = (await _counters(child))["pieces"], psutil.Process(child.pid).cpu_times()
    await asyncio.sleep(1.0)
    later = psutil.Process(child.pid).cpu_times()
    assert (await _counters(child))["pieces"] <= made + 2
    assert later.user + later.system - cpu.user - cpu.system < 0.8
    start, pieces = await _say(child, TEXT)
    assert len(_samples(pieces)) > start.rate


async def test_a_long_reply_waits_for_who_listens(child: LoneChild) -> None:
    before = psutil.Process(child.pid).memory_info().rss
    async with await child.connect() as connection:
        await connection.send(Synthesize(LONG.replace("kitchen", "garden")).event())
        await connection.receive(10)
        await asyncio.sleep(1.5)
        made = (await _counters(child))["speech_s"]
        assert made < 40, "synthesis runs away from the player"
        audio_bytes = 0
        while not AudioStop.matches(event := await connection.receive(30)):
            audio_bytes += len(Speech.from_event(event).audio)
    assert audio_bytes > 60 * 2 * 22050
    assert psutil.Process(child.pid).memory_info().rss - before < 80e6


RUBBISH = (
    b"\x00\xff\xfe garbage\n", b"[1]\n", b"{}\n", b'{"type":5}\n', b'{"type":"synthesize"}\n',
    b'{"type":"synthesize","data":{"text":7}}\n', b'{"type":"audio-chunk","payload_length":99999999999}\n',
    b'{"type":"warm","data":{"texts":"x"}}\n', b"x" * 100_000,
)  # fmt: skip


async def test_rubbish_ends_one_connection_only(child: LoneChild) -> None:
    for rubbish in RUBBISH:
        reader, writer = await asyncio.open_unix_connection(child.uri.removeprefix("unix://"))
        writer.write(rubbish)
        try:
            assert await asyncio.wait_for(reader.read(), 5) == b"", rubbish
        except ConnectionResetError:
            pass
        writer.close()
        assert await _counters(child)


async def test_what_cannot_be_said_is_a_failure(child: LoneChild) -> None:
    async with await child.connect() as connection:
        for text, code in (("", "nothing-to-say"), ("... !", "nothing-to-say"), ("a" * 20_001, "too-long")):
            await connection.send(Synthesize(text).event())
            assert Failure.from_event(await connection.receive(5)).code == code
        await connection.send(Ping().event())
        assert Pong.matches(await connection.receive(5))


async def test_odd_texts_are_spoken(child: LoneChild) -> None:
    for text in ("日本語 résumé 🎉 ok", "a" * 400, "1" * 60, "Yes\x00no\x1b[2J <b>&amp;", "%s %n {} ${x}"):
        start, pieces = await _say(child, text)
        assert len(_samples(pieces)) > start.rate // 10


async def test_replies_at_once_do_not_mix(child: LoneChild) -> None:
    texts = ["Yes.", TEXT, "Good morning to you all.", "The volume is at 60 percent."]
    alone = [b"".join((await _say(child, text))[1]) for text in texts]
    together = await asyncio.gather(*(_say(child, text) for text in texts))
    assert [b"".join(pieces) for _, pieces in together] == alone


async def test_a_broken_cache_entry_is_made_again(tmp_path: Path) -> None:
    async with lone_engine("tts", _settings(tmp_path), Models()) as child:
        _, made = await _say(child, TEXT)
        for file in (tmp_path / "phrases").iterdir():
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 0x40
            file.write_bytes(data)
        start, again = await _say(child, TEXT)
        assert not start.cached
        assert len(b"".join(again)) == pytest.approx(len(b"".join(made)), rel=0.1)
        assert (await _counters(child))["cache_broken"] >= 1


async def test_it_speaks_without_a_folder_for_its_cache(tmp_path: Path) -> None:
    (tmp_path / "phrases").write_text("in the way")
    async with lone_engine("tts", _settings(tmp_path), Models()) as child:
        await _say(child, TEXT)
        _, pieces = await _say(child, TEXT)
        assert pieces
        assert (await _counters(child))["cache_disk_errors"] >= 1


async def test_a_slower_voice_takes_longer(tmp_path: Path) -> None:
    lengths = []
    for speed in (0.7, 1.4):
        async with lone_engine("tts", _settings(tmp_path, speed=speed), Models()) as child:
            lengths.append(len(_samples((await _say(child, TEXT))[1])))
    assert lengths[0] > 1.3 * lengths[1]


@needs_shared
@pytest.mark.parametrize("harm", ["truncated", "no-onnx", "tokens", "missing"])
async def test_a_voice_that_cannot_be_loaded_is_one_sentence(tmp_path: Path, harm: str) -> None:
    files = {"model": tmp_path / "model.onnx", "tokens": tmp_path / "tokens.txt"}
    whole = amy()
    data = whole.files["model"].read_bytes()
    files["model"].write_bytes({"truncated": data[:3_000_000], "no-onnx": b"hello"}.get(harm, data))
    files["tokens"].write_text("nonsense\n" if harm == "tokens" else whole.files["tokens"].read_text())
    if harm == "missing":
        files["model"].unlink()
    model = ModelFile(name="broken", kind="vits", language="en-US", files=files, sha256={})
    with pytest.raises(EngineError, match=r"ended: tts: ERROR .*(model\.onnx|tokens\.txt)"):
        async with lone_engine("tts", _settings(tmp_path), Models(tts=model)):
            pass
