"""In: labelled recordings. Out: turns listened to from outside: from the last word in a room to the first sound of the reply.

Two recorders stand at a virtual card, at the loudspeaker and in the room; none of the times is the program's own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np

from appliance.bench.labels import Label
from appliance.bench.request import Request
from appliance.conversation.context import Trigger
from appliance.events import TurnRecord, TurnStarted
from appliance.replay.recording import load
from appliance.sim.card import VirtualCard
from appliance.sim.recorder import RATE_HZ, Recorder
from appliance.sim.room import AUDIBLE, Room, find, room

MOST = 16
"""Turns listened to: the difference is the same in all, and they take five seconds each."""
EARLY_S = 0.3
"""A reply is looked for from so long before the program says that it began."""
SETTLE_S = 0.3
"""The last samples are under way through the virtual card."""


@dataclass(frozen=True, slots=True)
class Outside:
    """One turn as it was heard."""

    label: Label
    record: TurnRecord | None
    response_ms: float | None
    """End of speech in the room → first audible sample at the loudspeaker."""
    later_ms: float | None
    """That sample's time after the program's own for it."""

    def row(self) -> dict[str, Any]:
        """For the report, beside the turns that were fed."""
        return {
            "file": self.label.file.name,
            "outside": True,
            "response_ms": self.response_ms,
            "later_ms": self.later_ms,
            "transcript": self.record.transcript if self.record else None,
        }


def outside(request: Request, labels: list[Label]) -> list[Outside]:
    """Plays MOST recordings with a marked end of speech in a room. Raises DeviceError without a virtual card."""
    marked = [label for label in labels if label.end_of_speech_s is not None][:MOST]
    with VirtualCard() as card:
        return asyncio.run(_turns(request, card, marked))


async def _turns(request: Request, card: VirtualCard, labels: list[Label]) -> list[Outside]:
    heard = []
    async with room(request.settings, request.models, card) as home:
        speaker, microphone = card.record_speaker(), card.record_room()
        for number, label in enumerate(labels):
            request.progress(number, len(labels), f"{label.file.name} from outside")
            await home.quiet()
            heard.append(await _turn(home, speaker, microphone, label))
            home.forget_timers()
    return heard


async def _turn(home: Room, speaker: Recorder, microphone: Recorder, label: Label) -> Outside:
    samples = load(label.file).samples
    begun = len(microphone.samples())
    home.appliance.conversation.open(Trigger("button"))
    await home.until(TurnStarted)
    speaking = asyncio.create_task(home.hears(samples))
    try:
        record = await home.turn(len(samples) / RATE_HZ + 10.0)
    except TimeoutError:
        record = None
    await speaking
    await asyncio.sleep(SETTLE_S)
    first_ns = record.stamps.get("first") if record is not None else None
    if first_ns is None or label.end_of_speech_s is None:
        return Outside(label, record, None, None)
    end_s = microphone.time_s(begun + find(samples, microphone.samples(begun))) + label.end_of_speech_s
    since = speaker.place(first_ns / 1e9 - EARLY_S)
    loud = np.flatnonzero(np.abs(speaker.samples(since).astype(np.int32)) > AUDIBLE)
    if not len(loud):
        return Outside(label, record, None, None)
    first_s = speaker.time_s(since + int(loud[0]))
    return Outside(label, record, round(1000 * (first_s - end_s), 1), round(1000 * first_s - first_ns / 1e6, 1))
