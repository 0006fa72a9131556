"""In: nothing but models. Out: the device's own replies in a room that hears them loudly, and how often they woke it.

Nobody else speaks: every detection, every turn that is opened and every cut reply is the device's own fault.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.conversation.phrases import phrases
from appliance.errors import ApplianceError
from appliance.events import NearMiss
from appliance.sim.card import VirtualCard
from appliance.sim.recorder import RATE_HZ, Recorder
from appliance.sim.room import Room, last_audible, room

REPLIES = 100
ECHO_DB = -6.0
"""Loudspeaker to microphone: a small housing; people are often quieter than that."""
SETTLE_S = 0.8
ALIKE = (
    "A lexicon of all exact examples relaxes Alex, so Alexander asks Electra for the last Texas elections.",
    "Step up to the shop at the top of the hill, and stock up on soap, a mop, and a pot.",
)
"""Sound like the wake word and the stop word."""
LONG = (
    *ALIKE,
    "The kitchen light is on, the heating is set to twenty one degrees, and the front door is locked.",
    "You have three timers. The pasta, four minutes; the laundry, half an hour; the bread, one hour and ten minutes.",
    "Tomorrow it will be cloudy with a little rain in the afternoon, and at most fourteen degrees.",
)
"""Replies of a house, and those."""


@dataclass(frozen=True, slots=True)
class Said:
    """A reply, and what came of it."""

    text: str
    alike: bool
    """It sounds like a wake word on purpose."""
    detections: int
    opened: int
    near: float | None
    """Score of the nearest miss."""
    holds: int
    """How often the reply was held, because a word seemed to begin."""
    sounded_s: float
    expected_s: float

    @property
    def cut(self) -> bool:
        """Whether the device silenced itself."""
        return self.sounded_s < 0.8 * self.expected_s

    def row(self) -> dict[str, Any]:
        return {"text": self.text, "alike": self.alike, "detections": self.detections, "opened": self.opened,
                "near": self.near, "holds": self.holds, "cut": self.cut, "sounded_s": round(self.sounded_s, 2)}  # fmt: skip


def run(request: Request) -> SuiteResult:
    """Says `request.limit` replies. Raises DeviceError without a virtual card."""
    with VirtualCard(echo_db=ECHO_DB) as card:
        said = asyncio.run(_said(request, card))
    usual = [each for each in said if not each.alike]
    measures: dict[str, float | None] = {
        "selfwake.turns": float(sum(each.opened for each in said)),
        "selfwake.replies": float(len(usual)),
        "selfwake.detections": float(sum(each.detections for each in usual)),
        "selfwake.cut_replies": float(sum(each.cut for each in usual)),
        "selfwake.alike_replies": float(len(said) - len(usual)),
        "selfwake.alike_detections": float(sum(each.detections for each in said if each.alike)),
        "selfwake.alike_cut_replies": float(sum(each.cut for each in said if each.alike)),
        "selfwake.holds": float(sum(each.holds for each in usual)),
        "selfwake.near_misses": float(sum(each.near is not None for each in said)),
        "selfwake.speech_minutes": round(sum(each.sounded_s for each in said) / 60, 2),
    }
    notes = (
        f"The microphone hears the loudspeaker {-ECHO_DB:g} dB below its own level; detections are the sound engine's own, "
        "before the device asks whether it was saying the word itself.",
    )
    return SuiteResult("selfwake", len(said), measures, [each.row() for each in said], notes)


async def _said(request: Request, card: VirtualCard) -> list[Said]:
    count, said = request.limit or REPLIES, []
    async with room(request.settings, request.models, card) as home:
        speaker = card.record_speaker()
        texts = _texts(home)
        for number in range(count):
            text = next(texts)
            request.progress(number, count, text[:40])
            said.append(await _say(home, speaker, text))
    return said


def _texts(home: Room) -> Iterator[str]:
    usual = phrases(home.appliance.agent.replies, datetime.now())
    long = itertools.cycle(LONG)
    mixed = [text for number, each in enumerate(usual) for text in ((each, next(long)) if number % 3 == 2 else (each,))]
    return itertools.cycle(mixed)


async def _say(home: Room, speaker: Recorder, text: str) -> Said:
    appliance = home.appliance
    watch = appliance.bus.subscribe("selfwake", 20000)
    detections, holds = _counted(home, "detections"), _counted(home, "holds")
    turns, begun = len(appliance.conversation.records), len(speaker.samples())
    expected = [0]
    appliance.ear.on_piece = lambda voice, rate_hz, piece: expected.append(len(piece) // 2 * RATE_HZ // rate_hz)
    try:
        await appliance.conversation.announce(text)
    except ApplianceError as error:
        raise ApplianceError("unsaid", f"“{text}” could not be said: {error.message}") from error
    await asyncio.sleep(SETTLE_S)
    await home.quiet()
    near = [event.score for event in watch.waiting() if isinstance(event, NearMiss)]
    last = last_audible(speaker.samples(begun))
    return Said(
        text=text,
        alike=text in ALIKE,
        detections=_counted(home, "detections") - detections,
        holds=_counted(home, "holds") - holds,
        opened=len(appliance.conversation.records) - turns,
        near=max(near, default=None),
        sounded_s=0.0 if last is None else last / RATE_HZ,
        expected_s=sum(expected) / RATE_HZ,
    )


def _counted(home: Room, name: str) -> int:
    """As the sound engine counts it; a second old at the most."""
    return int(home.appliance.ear.counters.get(name, 0))
