"""In: a running appliance whose microphone is a feed, and recordings. Out: one played turn for each of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
import wave
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from appliance.app import Appliance
from appliance.conversation.context import Trigger
from appliance.errors import EngineError
from appliance.events import MEASURES_MS, Bus, Outcome, TurnEnded, TurnRecord
from appliance.replay.recording import RATE_HZ, Recording, Samples
from appliance.wire.frame import Connection
from appliance.wire.sound import Fed, Feed

FEED_BYTES = 2 * 1024 * 1024
"""A recording goes over the wire in parts of at most this size."""
QUIET_BEFORE_S = 0.3
QUIET_AFTER_S = 1.2
"""Silence fed around a recording in which a wake word is waited for."""
LONGEST_TURN_S = 90.0
READY_S = 10.0
"""How long a sound engine that is being replaced is waited for."""


@dataclass(frozen=True, slots=True)
class Played:
    """A recording and the turn it made. `record.ms` is on the recording's own time line."""

    recording: Recording
    record: TurnRecord


class Player:
    """Feeds recordings to a running appliance."""

    def __init__(self, appliance: Appliance, cause: str, real_time: bool, out: Path | None = None) -> None:
        """`cause`: 'button' opens a turn with the first sample, 'wake' waits for the wake word."""
        self._appliance = appliance
        self._cause = cause
        self._real_time = real_time
        self._out = out
        self._reply: list[tuple[int, bytes]] = []
        appliance.ear.on_piece = self._keep

    async def play(self, recording: Recording) -> Played:
        """One recording, one turn. Raises EngineError if the sound engine cannot be fed."""
        self._reply = []
        ended = _Ended(self._appliance.bus)
        async with await self._appliance.sound.connect(READY_S) as feed:
            started = await self._feed(feed, recording)
            record = await self._turn(feed, ended)
        self._write_reply(recording)
        if record is None:
            return Played(recording, TurnRecord(turn="", outcome=Outcome.NO_WAKE, cause=self._cause, ms=_no_times()))
        return Played(recording, replace(record, ms=self._times(record, recording, started)))

    async def _feed(self, feed: Connection, recording: Recording) -> Fed:
        """Gives the recording to the sound engine and waits until its first sample is captured."""
        if self._cause == "wake":
            wide = recording.samples.shape[1:]
            await self._send(feed, "quiet", np.zeros((int(QUIET_BEFORE_S * RATE_HZ), *wide), np.int16))
            after = np.zeros((int(QUIET_AFTER_S * RATE_HZ), *wide), np.int16)
            await self._send(feed, "recording", np.concatenate((recording.samples, after)))
        else:
            await self._send(feed, "recording", recording.samples, hold=True)
            self._appliance.conversation.open(Trigger("button"))
        while True:
            fed = Fed.from_event(await feed.receive(30.0))
            if fed.name == "recording" and not fed.done:
                return fed

    async def _send(self, feed: Connection, name: str, samples: Samples, hold: bool = False) -> None:
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        frames = FEED_BYTES // (2 * channels)
        for start in range(0, max(len(samples), 1), frames):
            part = samples[start : start + frames].tobytes()
            whole = Feed(name if start == 0 else f"{name}+", hold and start == 0, part, channels)
            await feed.send(whole.event(), 30.0)

    async def _turn(self, feed: Connection, ended: _Ended) -> TurnRecord | None:
        """The turn's record; None where the recording is over and no turn began.

        With a wake word the recording is played to its end: another one in it may open another turn. A button's recording
        ends with its turn, or the rest of it would be heard in the next.
        """
        finished = asyncio.ensure_future(self._finished(feed))
        record = asyncio.ensure_future(ended.record())
        try:
            await asyncio.wait((finished, record), return_when=asyncio.FIRST_COMPLETED, timeout=LONGEST_TURN_S)
            if not record.done() and self._cause == "wake" and not await self._turn_begins():
                return None
            async with asyncio.timeout(LONGEST_TURN_S):
                heard = await record
            if self._cause == "wake":
                await finished
            return heard
        finally:
            for task in (finished, record):
                task.cancel()

    async def _turn_begins(self) -> bool:
        """Whether a wake word at the very end of the recording still opens a turn."""
        deadline_s = time.monotonic() + 0.5
        while time.monotonic() < deadline_s:
            if self._appliance.conversation.busy:
                return True
            await asyncio.sleep(0.02)
        return False

    async def _finished(self, feed: Connection) -> None:
        with contextlib.suppress(EngineError):
            while True:
                fed = Fed.from_event(await feed.receive())
                if fed.done and fed.name.startswith("recording"):
                    return

    def _keep(self, voice: str, rate_hz: int, piece: bytes) -> None:
        if voice == "reply":
            self._reply.append((rate_hz, piece))

    def _write_reply(self, recording: Recording) -> None:
        if self._out is None or not self._reply:
            return
        self._out.mkdir(parents=True, exist_ok=True)
        with wave.open(str(self._out / f"{recording.file.stem}.reply.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self._reply[-1][0])
            file.writeframes(b"".join(piece for _, piece in self._reply))

    def _times(self, record: TurnRecord, recording: Recording, started: Fed) -> dict[str, float | None]:
        """The turn's times with the recording's own end of speech; none where time is not real."""
        if not self._real_time:
            return _no_times()
        times = {name: record.ms.get(name) for name in MEASURES_MS}
        if recording.end_of_speech_s is not None:
            end_ns = started.mono_ns + int(recording.end_of_speech_s * 1e9)
            for name, stamp in (("endpoint", "decision"), ("response", "first")):
                at_ns = record.stamps.get(stamp)
                times[name] = None if at_ns is None else round((at_ns - end_ns) / 1e6, 1)
        return times


class _Ended:
    """Waits for the end of the next turn."""

    def __init__(self, bus: Bus) -> None:
        self._watch = bus.subscribe("replay")

    async def record(self) -> TurnRecord:
        async for event in self._watch:
            if isinstance(event, TurnEnded):
                return event.record
        raise AssertionError("a watch never ends")


def _no_times() -> dict[str, float | None]:
    return dict.fromkeys(MEASURES_MS)
