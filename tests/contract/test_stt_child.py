"""The speech-to-text child on its socket: every engine, real speech, cancel, flush, rubbish, too much."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import pytest
import soundfile

from appliance.errors import EngineError
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Home
from appliance.intents.source import grammar_source
from appliance.settings import Settings
from appliance.settings.conversation import IntentSettings
from appliance.settings.engines import SttSettings
from appliance.sim.lone_child import LoneChild, lone_engine
from appliance.wire.child import ModelFile, Models
from appliance.wire.frame import Connection
from appliance.wire.message import AudioStart, AudioStop, Describe, Failure, Message, Ping, Pong, Ready
from appliance.wire.stt import Chunk, Flush, Partial, Transcribe, Transcript
from tests.shared import AUDIO, MODELS, needs_shared

GRAMMAR = GrammarSource(
    "en",
    {
        "language": "en",
        "intents": {
            "Timer": {
                "data": [{"sentences": ["(set|start) a timer for {n} (second|minute|hour)[s]", "cancel all timers"]}]
            },
            "Light": {"data": [{"sentences": ["turn (on|off) [the] light[s] [in the office]"]}]},
        },
        "lists": {"n": {"range": {"from": 1, "to": 60}}},
    },
    ("Timer", "Light"),
)


def model() -> ModelFile:
    folder = next(MODELS.glob("sherpa-onnx-kws-zipformer*"))
    names = {"tokens": "tokens.txt", "bpe_vocab": "bpe.vocab"}
    files = {role: folder / name for role, name in names.items()}
    for role, pattern in (("encoder", "encoder*int8*"), ("decoder", "decoder*[0-9].onnx"), ("joiner", "joiner*int8*")):
        files[role] = next(folder.glob(pattern))
    return ModelFile(name="small", kind="transducer", language="en", files=files, sha256={})


T = TypeVar("T", bound=Message)


@dataclass
class Child:
    """A running child with hands."""

    alone: LoneChild
    grammar: str

    async def connect(self) -> Connection:
        return await self.alone.connect()

    async def say(self, connection: Connection, samples: np.ndarray[Any, Any], **request: Any) -> None:
        await connection.send(Transcribe(**request).event())
        await connection.send(AudioStart(16000).event())
        for at in range(0, len(samples), 1600):
            await connection.send(Chunk(audio=samples[at : at + 1600].tobytes()).event(), timeout_s=30)

    async def hear(self, samples: np.ndarray[Any, Any], **request: Any) -> Transcript:
        async with await self.connect() as connection:
            await self.say(connection, samples, **request)
            await connection.send(AudioStop().event())
            return await until(connection, Transcript)


async def until(connection: Connection, kind: type[T]) -> T:
    while True:
        event = await connection.receive(30)
        if kind.matches(event):
            return kind.from_event(event)


@contextlib.asynccontextmanager
async def running(engine: str, folder: Path) -> AsyncIterator[Child]:
    models = Models(stt=None if engine == "pocketsphinx" else model())
    settings = Settings(stt=SttSettings(engine=engine))
    async with lone_engine("stt", settings, models) as alone:
        yield Child(alone, str(GRAMMAR.write(folder)))


def speech(name: str) -> np.ndarray[Any, Any]:
    samples, _ = soundfile.read(AUDIO / "commands" / name, dtype="int16")
    return samples


@needs_shared
@pytest.mark.parametrize("engine", ["grammar", "sherpa", "pocketsphinx"])
async def test_every_engine_says_who_it_is_and_hears(engine: str, tmp_path: Path) -> None:
    async with running(engine, tmp_path) as child:
        async with await child.connect() as connection:
            await connection.send(Describe().event())
            ready = await until(connection, Ready)
            assert ready.engine == engine and ready.versions
            if engine == "pocketsphinx":
                assert any("Hotwords" in note for note in ready.notes)
        heard = await child.hear(speech("local/amy-04.flac"), grammar=child.grammar, terms=("timer", "kitchen light"))
        words = set((heard.free_text + " " + heard.text).split())
        assert "timer" in words or "minutes" in words
        if engine != "sherpa":
            assert heard.text == "set a timer for 5 minutes" and heard.complete
        silence = await child.hear(np.zeros(16000, np.int16), grammar=child.grammar)
        assert silence.text == "" and not silence.alternatives


@needs_shared
async def test_digital_silence_ahead_costs_no_word(tmp_path: Path) -> None:
    """A gated microphone's zeros: the networks were never trained on them, and begin in the middle of a sentence."""
    files = sorted((AUDIO / "commands" / "coffee").glob("*.flac"))[:3]
    intents = IntentSettings(sentences=(AUDIO / "commands" / "coffee" / "sentences.yaml",))
    grammar = str(grammar_source(Home(), "en", intents).write(tmp_path))
    zeros = np.zeros(16000, np.int16)
    async with running("grammar", tmp_path) as child:
        for file in files:
            samples = speech(f"coffee/{file.name}")
            plain = await child.hear(samples, grammar=grammar)
            behind = await child.hear(np.concatenate([zeros, samples]), grammar=grammar)
            assert plain.complete and behind.text == plain.text


@needs_shared
async def test_partials_flush_and_going_on(tmp_path: Path) -> None:
    samples = speech("local/amy-04.flac")[:44000]
    async with running("grammar", tmp_path) as child, await child.connect() as connection:
        await child.say(connection, samples[:36000], grammar=child.grammar)
        await connection.send(Flush().event())
        flushed = await until(connection, Partial)
        while not flushed.flushed:
            flushed = await until(connection, Partial)
        assert flushed.audio_ms == 2250 and flushed.text.startswith("set a timer")
        await connection.send(Chunk(audio=samples[36000:].tobytes()).event())
        await connection.send(Flush().event())
        await connection.send(Ping("behind").event())
        partial = await until(connection, Partial)
        while not partial.flushed:
            partial = await until(connection, Partial)
        assert partial.complete and not partial.extendable and (partial.confidence or 0) > 0.5
        pong = await until(connection, Pong)
        assert pong.text == "behind" and pong.counters and pong.counters["utterances"] == 1
        await connection.send(AudioStop().event())
        assert (await until(connection, Transcript)).text == "set a timer for 5 minutes"


@needs_shared
async def test_a_sentence_that_lacks_a_word_is_not_taken_for_whole(tmp_path: Path) -> None:
    """Led to an end in the middle of "five minutes", the grammar must make up a word, or finds no whole sentence."""
    samples = speech("local/amy-04.flac")
    seen = []
    async with running("grammar", tmp_path) as child, await child.connect() as connection:
        await connection.send(Transcribe(grammar=child.grammar).event())
        await connection.send(AudioStart(16000).event())
        for at in range(0, 44000, 800):
            await connection.send(Chunk(audio=samples[at : at + 800].tobytes()).event(), timeout_s=30)
            await connection.send(Flush().event())
            while not (partial := await until(connection, Partial)).flushed:
                pass
            seen.append(partial)
    five = [partial for partial in seen if 1850 <= partial.audio_ms <= 2000]
    assert len(five) == 4 and all(partial.more_expected or not partial.complete for partial in five)
    assert any(partial.more_expected for partial in five)
    whole = [partial for partial in seen if partial.audio_ms >= 2200]
    assert len(whole) > 5 and all(partial.complete and not partial.more_expected for partial in whole)


@needs_shared
async def test_foreign_speech_is_not_sure_and_a_follow_up_knows_its_choices(tmp_path: Path) -> None:
    async with running("grammar", tmp_path) as child:
        order = sorted((AUDIO / "commands" / "coffee").glob("*.flac"))[0]
        foreign = await child.hear(speech(f"coffee/{order.name}"), grammar=child.grammar)
        assert not foreign.text or (foreign.confidence or 0) < 0.5
        context = {"question": "Which one?", "choices": ["never mind", "the bedroom"]}
        answer = await child.hear(speech("local/amy-12.flac"), grammar=child.grammar, context=context)
        assert answer.text == "never mind"


@needs_shared
async def test_closing_cancels_rubbish_ends_one_connection_and_memory_is_bounded(tmp_path: Path) -> None:
    async with running("grammar", tmp_path) as child:
        first = await child.connect()
        await child.say(first, speech("local/amy-04.flac"), grammar=child.grammar)
        await first.close()
        reader, writer = await asyncio.open_unix_connection(child.alone.uri.removeprefix("unix://"))
        writer.write(b"\xff\xfe no wyoming {]\n[1]\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        async with await child.connect() as wrong:
            await wrong.send(AudioStart(8000).event())
            assert (await until(wrong, Failure)).code == "audio-format"
        before = psutil.Process(child.alone.pid).memory_info().rss
        async with await child.connect() as long:
            noise = np.random.default_rng(1).integers(-300, 300, 16000 * 20, dtype=np.int16)
            await child.say(long, noise, grammar=child.grammar)
            for _ in range(3):
                with contextlib.suppress(EngineError):
                    await long.send(Chunk(audio=noise.tobytes()).event(), timeout_s=30)
            assert (await until(long, Failure)).code == "too-long"
        assert psutil.Process(child.alone.pid).memory_info().rss - before < 100e6
        heard = await child.hear(speech("local/amy-08.flac"), grammar=child.grammar)
        assert heard.text == "cancel all timers"


@needs_shared
async def test_a_grammar_that_cannot_be_read_leaves_the_free_text(tmp_path: Path) -> None:
    broken = tmp_path / "broken.grammar.json"
    broken.write_text(json.dumps({"language": "en"}))
    async with running("grammar", tmp_path) as child:
        heard = await child.hear(speech("local/amy-08.flac"), grammar=str(broken))
        assert heard.confidence is None and heard.free_text
