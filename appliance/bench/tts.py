"""In: sentences. Out: how soon and how fast the real synthesiser child speaks them, new and out of its phrase cache."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.bench.percentile import percentile
from appliance.bench.result import SuiteResult
from appliance.errors import EngineError
from appliance.settings import Settings
from appliance.sim.lone_child import LoneChild, lone_engine
from appliance.sim.speech import speech
from appliance.wire.child import Models
from appliance.wire.tts import SpeechStart

SENTENCES = (
    "It is half past seven.",
    "The timer for the pasta has four minutes and twenty seconds left.",
    "I have set a timer for five minutes.",
    "The light in the living room is on.",
    "Today is Saturday, the twenty-first of November.",
    "I did not understand that. Please say it again.",
    "The volume is at 60 percent.",
    "I am doing well: 52 °C, 240 megabytes of memory in use, and the last answer took 310 milliseconds.",
    "No home server is connected, so I cannot switch the lights.",
    "You can ask for the time, the date, a timer, or the volume.",
)
"""Replies of the kinds that the device gives."""
TEN_SECONDS = (
    "The kitchen light is on, the heating is set to twenty one degrees, and the front door is locked. "
    "Two timers are running: the pasta has four minutes left, and the laundry has half an hour left."
)
"""About ten seconds of speech; the time is scaled to ten."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One reply, as the client saw it."""

    text: str
    first_ms: float
    """Request sent → first message with speech received."""
    whole_ms: float
    """Request sent → last message."""
    audio_s: float
    cached: bool


async def run(texts: tuple[str, ...] = (), *, settings: Settings, models: Models) -> SuiteResult:
    """Speaks every text new (cache off), then twice with a fresh cache, of which the second time counts as cached.

    Raises EngineError if the child cannot be started or a text cannot be spoken.
    """
    texts = texts or SENTENCES
    fresh = await _pass(texts, settings, models, cached=False)
    ten = fresh.pop()
    kept = await _pass(texts, settings, models, cached=True)
    first, again = [spoken.first_ms for spoken in fresh], [spoken.first_ms for spoken in kept]
    measures: dict[str, float | None] = {
        "tts.first_ms.p50": percentile(first, 50),
        "tts.first_ms.p95": percentile(first, 95),
        "tts.rtf": sum(s.whole_ms for s in fresh) / 1000 / sum(s.audio_s for s in fresh),
        "tts.cached_first_ms.p50": percentile(again, 50),
        "tts.cached_first_ms.p95": percentile(again, 95),
        "tts.ten_seconds_ms": 10 * ten.whole_ms / ten.audio_s,
    }
    details = [
        {"text": new.text, "first_ms": new.first_ms, "cached_first_ms": old.first_ms, "audio_s": new.audio_s}
        for new, old in zip(fresh, kept, strict=True)
    ]
    missed = sum(not spoken.cached for spoken in kept)
    notes = (f"{missed} of {len(kept)} repeated texts did not come out of the phrase cache.",) if missed else ()
    return SuiteResult("tts", len(fresh), measures, details, notes)


async def _pass(texts: tuple[str, ...], settings: Settings, models: Models, *, cached: bool) -> list[Spoken]:
    """Without the cache: every text once, then TEN_SECONDS. With it: what the second time gave."""
    with tempfile.TemporaryDirectory(prefix="appliance-bench-tts-") as folder:
        device = settings.device.model_copy(update={"state_dir": Path(folder)})
        voice = settings.tts.model_copy(update={"cache_mb": max(50, settings.tts.cache_mb) if cached else 0})
        alone = settings.model_copy(update={"device": device, "tts": voice})
        async with lone_engine("tts", alone, models) as child:
            if not cached:
                return [await _speak(child, text) for text in (*texts, TEN_SECONDS)]
            for text in texts:
                await _speak(child, text)
            return [await _speak(child, text) for text in texts]


async def _speak(child: LoneChild, text: str) -> Spoken:
    first_s, audio_bytes, start = None, 0, SpeechStart(rate=0)
    async with await child.connect() as connection:
        asked_s = time.perf_counter()
        async for piece in speech(connection, text):
            if isinstance(piece, SpeechStart):
                start = piece
            else:
                first_s = first_s or time.perf_counter()
                audio_bytes += len(piece.audio)
        done_s = time.perf_counter()
    if first_s is None:
        raise EngineError("silent", "The tts engine ended a reply without a sample.", "tts")
    audio_s = audio_bytes / 2 / start.rate
    return Spoken(text, 1000 * (first_s - asked_s), 1000 * (done_s - asked_s), audio_s, start.cached)
