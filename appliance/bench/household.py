"""In: nothing but models. Out: two days of a household through the real program: what the caches and the preparing are worth.

The requests are spoken by the device's own voice and fed as fast as the program takes them; the time of day is the script's.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance import app
from appliance.bench.day import DAY, HOME
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.events import TurnRecord
from appliance.replay.feed import feed_settings
from appliance.replay.player import Player
from appliance.replay.recording import load
from appliance.sim.home_server import LoopbackHome
from appliance.sim.lone_child import lone_engine
from appliance.sim.speech import speech
from appliance.wire.message import Ping, Pong
from appliance.wire.tts import SpeechStart

DAYS = 2
"""The first with nothing but what is warmed, the second with what the first left."""
QUIET_S = 0.5
"""Silence around a request."""
NOISE = 15.0
"""RMS of 32768: -67 dBFS."""
SEED = 7
REPLY_S = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the day, and the turn that came of it."""

    at: str
    text: str
    intent: str
    record: TurnRecord

    @property
    def right(self) -> bool:
        return self.record.intent == self.intent

    def row(self) -> dict[str, Any]:
        record = self.record
        return {
            "at": self.at,
            "text": self.text,
            "transcript": record.transcript,
            "intent": record.intent,
            "right": self.right,
            "reply": record.reply,
            "cached": record.cached,
            "prepared": record.prepared,
            "wasted": record.wasted,
        }


@dataclass(frozen=True, slots=True)
class Counts:
    """What was looked up since the start."""

    phrase_hits: float
    phrase_misses: float
    meaning_hits: int
    meanings: int


def run(request: Request) -> SuiteResult:
    """Lives two days, or their first `request.limit` requests. Raises EngineError, DeviceError without mosquitto."""
    with tempfile.TemporaryDirectory(prefix="appliance-household-") as folder, LoopbackHome() as house:
        asked, counts = asyncio.run(_day(request, Path(folder), house))
    return judged(asked, counts)


def judged(asked: list[Asked], counts: Counts) -> SuiteResult:
    """The shares of a day."""
    records = [each.record for each in asked]
    begun = sum(record.wasted + (record.prepared == "hit") for record in records)
    understood = [record for record in records if record.intent is not None]
    spoken = [record for record in records if record.reply]
    measures = {
        "household.tts_cache_hit_rate": _share(counts.phrase_hits, counts.phrase_hits + counts.phrase_misses),
        "household.first_cached_rate": _share(sum(bool(r.cached) for r in spoken), len(spoken)),
        "household.intent_cache_hit_rate": _share(counts.meaning_hits, counts.meanings),
        "household.prepared_hit_rate": _share(sum(r.prepared == "hit" for r in understood), len(understood)),
        "household.prepared_waste_rate": _share(sum(r.wasted for r in records), begun),
        "household.right_rate": _share(sum(each.right for each in asked), len(asked)),
    }
    notes = (
        "tts_cache_hit_rate: of the pieces of speech that replies and prepared replies asked for, in the first two days "
        "after the installation; first_cached_rate: of the replies, those that began out of the cache.",
        "intent_cache_hit_rate: of the texts whose meaning was asked for, a turn's own second look included.",
        "prepared_hit_rate: of understood turns; prepared_waste_rate: of all replies that were prepared.",
    )
    return SuiteResult("household", len(asked), measures, [each.row() for each in asked], notes)


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


async def _day(request: Request, folder: Path, house: LoopbackHome) -> tuple[list[Asked], Counts]:
    script = [(day, *asked) for day in range(DAYS) for asked in DAY][: request.limit]
    request.progress(0, len(script), "the household records what it will say")
    spoken = {text: file async for text, file in _recorded(request, {text for _, _, text, _ in script}, folder)}
    home = folder / "home.json"
    home.write_text(json.dumps(HOME), encoding="utf-8")
    settings = house.settings(feed_settings(request.settings, folder / "device", 0.0, home, request.sentences))
    update = {
        "tts": settings.tts.model_copy(update={"warm": True}),
        "conversation": settings.conversation.model_copy(update={"follow_up": False}),  # each request stands for itself
    }
    settings = settings.model_copy(update=update)
    async with app.running(settings, request.models) as appliance:
        await appliance.wait_ready()
        player = Player(appliance, "button", real_time=False)
        asked: list[Asked] = []
        running: dict[str, datetime] = {}
        for number, (day, at, text, intent) in enumerate(script):
            request.progress(number, len(script), f"{at} {text}")
            date = datetime.now().date() + timedelta(days=day)
            moment = datetime.combine(date, datetime.strptime(at, "%H:%M").time()).astimezone()
            _let_go_by(appliance, moment, running)
            await appliance.voice.warm(appliance.agent.phrases())  # the device has had minutes for it
            played = await player.play(await asyncio.to_thread(load, spoken[text]))
            asked.append(Asked(at, text, intent, played.record))
            running |= {timer.id: moment for timer in appliance.agent.timers.all() if timer.id not in running}
        return asked, await _counts(appliance)


def _in_a_room(spoken: NDArray[np.int16], rate_hz: int) -> NDArray[np.int16]:
    """With QUIET_S around it and the room's own noise in all of it: no microphone gives digital silence."""
    quiet = np.zeros(int(QUIET_S * rate_hz))
    whole = np.concatenate((quiet, spoken.astype(np.float64), quiet))
    whole = whole + np.random.default_rng(SEED).normal(0.0, NOISE, len(whole))
    return np.asarray(np.clip(np.rint(whole), -32768, 32767), dtype=np.int16)


def _let_go_by(appliance: app.Appliance, moment: datetime, running: dict[str, datetime]) -> None:
    """It is `moment` now: nothing that was said before is referred to, and timers that have rung were silenced."""
    appliance.agent.forget()
    appliance.agent.clock = partial(_always, moment)
    for timer in appliance.agent.timers.all():
        if timer.id in running and (moment - running[timer.id]).total_seconds() >= timer.started_s:
            appliance.agent.timers.cancel(timer.id)


def _always(moment: datetime) -> datetime:
    return moment


async def _recorded(request: Request, texts: set[str], folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """Every text as a recording, spoken by a synthesiser of its own, whose cache is not the device's."""
    settings = request.settings.model_copy(update={"tts": request.settings.tts.model_copy(update={"cache_mb": 0})})
    async with lone_engine("tts", settings, request.models) as child, await child.connect() as connection:
        for number, text in enumerate(sorted(texts)):
            audio, rate_hz = bytearray(), 0
            async for piece in speech(connection, text + "."):
                if isinstance(piece, SpeechStart):
                    rate_hz = piece.rate
                else:
                    audio += piece.audio
            file = folder / f"request-{number}.wav"
            soundfile.write(file, _in_a_room(np.frombuffer(bytes(audio), np.int16), rate_hz), rate_hz)
            yield text, file


async def _counts(appliance: app.Appliance) -> Counts:
    async with await appliance.tts.connect(REPLY_S) as connection:
        await connection.send(Ping().event())
        counters = Pong.from_event(await connection.receive(REPLY_S)).counters or {}
    meaning_hits, meanings = appliance.agent.meanings.lookups
    misses = counters.get("cache_misses", 0.0) - counters.get("warmed", 0.0)
    return Counts(counters.get("cache_hits", 0.0), max(0.0, misses), meaning_hits, meanings)
