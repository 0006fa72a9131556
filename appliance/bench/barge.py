"""In: wake words and commands. Out: replies interrupted in a room that hears them: silence, new turns, what was understood.

Everything is taken from outside the program: two recorders at the virtual card, one at the loudspeaker and one in the room.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from appliance.bench.labels import Label, read_labels
from appliance.bench.percentile import percentile
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import UsageError
from appliance.events import TurnRecord, WakeDetected
from appliance.replay.recording import load
from appliance.sim.card import VirtualCard
from appliance.sim.recorder import RATE_HZ, Recorder, Samples
from appliance.sim.room import (
    VOICE_DBFS,
    VOICED_DB,
    Room,
    as_loud,
    find,
    last_audible,
    level_dbfs,
    room,
    spoken,
    voiced_until,
)

ECHO_BELOW_VOICE_DB = 20.0
TRIALS = 20
PAUSE_S = 0.15
"""Between the wake word and the command: people speak on."""
SEED = 6
PRESSES = 4
"""Every so many trials the button is pressed, too, and every so many "stop" is said."""
LATE_S = 3.0
ANSWERED_S = 30.0
"""How long somebody speaks, is answered, and is told of five timers."""
HELD_MS = 400.0
"""A reply is held at the suspicion of a word, 0.36 s before it is sure at the most; one that was silent for longer paused by
itself, and how soon it would have been silenced is not known."""
COUNTED_S = 1.2
"""The sound engine's counters are a second old at the most."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An interruption. Times are ms since the end of the word, or the press; None: it was not heard."""

    how: str
    what: str
    silence_ms: float | None
    detected_ms: float | None
    """When the program heard the word, by its own clock."""
    turn: TurnRecord | None
    right: bool | None
    """Whether the command behind the wake word was understood; None where there was none."""

    @property
    def paused(self) -> bool:
        """Whether the reply was silent by itself when the word or the press came."""
        if self.silence_ms is None:
            return False
        return self.silence_ms < (0.0 if self.detected_ms is None else self.detected_ms) - HELD_MS

    def row(self) -> dict[str, Any]:
        turn = self.turn
        return {
            "how": self.how,
            "what": self.what,
            "silence_ms": self.silence_ms,
            "detected_ms": self.detected_ms,
            "opened": turn is not None,
            "right": self.right,
            "transcript": turn.transcript if turn else None,
            "intent": turn.intent if turn else None,
            "partials": [[round(at_ms), text] for at_ms, text in turn.partials] if turn else [],
        }


def run(request: Request) -> SuiteResult:
    """Interrupts `request.limit` replies by the wake word, a quarter as many by "stop" and by the button.

    Raises UsageError for unusable data, DeviceError without a virtual card.
    """
    root = request.folder("barge")
    word = request.word or request.settings.wake.words[0]
    words = sorted((root / "wake" / word).glob("*.*"))
    if not words:
        raise UsageError("no-data", f"--data {root}: there is no folder wake/{word} with recordings.")
    labels = [label for label in read_labels(root / "commands" / "local") if label.intent is not None]
    with VirtualCard(echo_db=0.0) as card:
        trials, echo_db, holds = asyncio.run(_trials(request, card, words, labels))
    return _judged(trials, echo_db, holds)


async def _trials(
    request: Request, card: VirtualCard, words: list[Path], labels: list[Label]
) -> tuple[list[Trial], float, dict[str, float | None]]:
    chance, count = random.Random(SEED), request.limit or TRIALS
    plan = list(_plan(count))
    trials = []
    async with room(request.settings, request.models, card) as home:
        speaker, microphone = card.record_speaker(), card.record_room()
        stop = as_loud(spoken(await home.words("Stop!")))
        echo_db = await _set_echo(home, speaker)
        for number, how in enumerate(plan):
            request.progress(number, len(plan), how)
            await home.quiet()
            await home.begin_a_long_reply()
            if how == "button":
                trials.append(await _press(home, speaker))
            elif how == "stop":
                trials.append(await _stop(home, speaker, microphone, stop))
            else:
                trials.append(await _wake(home, speaker, microphone, chance.choice(words), chance.choice(labels)))
        await asyncio.sleep(COUNTED_S)
        counters = home.appliance.ear.counters
    return trials, echo_db, {f"barge.{name}": counters.get(name) for name in ("holds", "holds_unconfirmed")}


def _plan(count: int) -> Iterator[str]:
    for number in range(count):
        yield "wake"
        if number % PRESSES == 1:
            yield "stop"
        if number % PRESSES == 3:
            yield "button"


async def _set_echo(home: Room, speaker: Recorder) -> float:
    """Makes the echo ECHO_BELOW_VOICE_DB quieter than people in the room; dB from the loudspeaker to the microphone."""
    begun = len(speaker.samples())
    await home.begin_a_long_reply()
    home.appliance.conversation.hush()
    await home.quiet()
    echo_db = min(0.0, VOICE_DBFS - ECHO_BELOW_VOICE_DB - level_dbfs(speaker.samples(begun)))
    home.card.server.set_echo(echo_db)
    return echo_db


async def _wake(home: Room, speaker: Recorder, microphone: Recorder, word: Path, label: Label) -> Trial:
    said = as_loud(spoken(load(word).samples, VOICED_DB))  # the command follows the word, not the noise behind it
    command = as_loud(spoken(load(label.file).samples))
    whole = np.concatenate(
        (said, np.zeros(int(PAUSE_S * RATE_HZ), np.int16), command, np.zeros(RATE_HZ // 4, np.int16))
    )
    begun = len(microphone.samples())
    speaking = asyncio.create_task(home.hears(whole))
    turn = await _woken(home, len(whole) / RATE_HZ + LATE_S)
    await speaking
    end_s = _end_s(microphone, begun, whole, said)
    first_ns = turn.stamps.get("first") if turn is not None else None
    silence_ms = None if turn is None else _silence_ms(speaker, end_s, None if first_ns is None else first_ns / 1e9)
    right = turn is not None and label.right(turn.intent, turn.slots)
    woken_ns = turn.stamps.get("wake") if turn is not None else None
    detected_ms = None if woken_ns is None else round(woken_ns / 1e6 - 1000 * end_s, 1)
    return Trial("wake", f"{word.name} + {label.file.name}", silence_ms, detected_ms, turn, right)


async def _stop(home: Room, speaker: Recorder, microphone: Recorder, stop: Samples) -> Trial:
    begun = len(microphone.samples())
    speaking = asyncio.create_task(home.hears(stop))
    turn = await _turn_of(home, "command", len(stop) / RATE_HZ + LATE_S)
    await speaking
    await asyncio.sleep(0.3)
    end_s = _end_s(microphone, begun, stop, stop)
    return Trial("stop", "stop", _silence_ms(speaker, end_s, None) if turn is not None else None, None, turn, None)


async def _press(home: Room, speaker: Recorder) -> Trial:
    """The button as the panel gives it to the conversation: it silences the reply; a second press opens a turn."""
    pressed_s = asyncio.get_running_loop().time()
    hushed = home.appliance.conversation.hush()
    turn = await _turn_of(home, "command", LATE_S)
    await asyncio.sleep(0.3)
    return Trial("button", "press", _silence_ms(speaker, pressed_s, None) if hushed else None, None, turn, None)


async def _woken(home: Room, within_s: float) -> TurnRecord | None:
    """The turn that a wake word opens in time, when it is over; its own reply may be long."""
    try:
        await home.until(WakeDetected, within_s)
    except TimeoutError:
        return None
    return await _turn_of(home, "wake", ANSWERED_S)


async def _turn_of(home: Room, cause: str, within_s: float) -> TurnRecord | None:
    """The first turn of that cause which ends in time."""
    try:
        async with asyncio.timeout(within_s + 10.0):
            while (record := await home.turn(within_s)).cause != cause:
                pass
            return record
    except TimeoutError:
        return None


def _end_s(microphone: Recorder, begun: int, whole: Samples, word: Samples) -> float:
    """When the word was over in the room, time.monotonic."""
    place = begun + find(whole, microphone.samples(begun))
    return microphone.time_s(place) + voiced_until(word) / RATE_HZ


def _silence_ms(speaker: Recorder, since_s: float, reply_s: float | None) -> float:
    """From `since_s` to the last sample that the loudspeaker gave before the next reply; below 0: it was silent before."""
    since, until = speaker.place(since_s - 1.0), None if reply_s is None else speaker.place(reply_s - 0.2)
    last = last_audible(speaker.samples()[since:until])
    return -1000.0 if last is None else round(1000 * (speaker.time_s(since + last) - since_s), 1)


def _judged(trials: list[Trial], echo_db: float, holds: dict[str, float | None]) -> SuiteResult:
    measures: dict[str, float | None] = {}
    for how in ("wake", "stop", "button"):
        of = [trial for trial in trials if trial.how == how]
        heard = [trial for trial in of if trial.silence_ms is not None]
        late = [trial.silence_ms for trial in heard if trial.silence_ms is not None and not trial.paused]
        measures |= {f"barge.{how}_silence_ms.p{level}": percentile(late, level) for level in (50, 95)}
        measures[f"barge.{how}_silence_ms.max"] = max(late, default=None)
        measures[f"barge.{how}_heard_rate"] = len(heard) / len(of) if of else None
    known = [trial for trial in trials if not trial.paused]
    cut = [t.silence_ms - t.detected_ms for t in known if t.silence_ms is not None and t.detected_ms is not None]
    measures |= {f"barge.cut_ms.p{level}": percentile(cut, level) for level in (50, 95)}
    measures |= holds
    opened = [trial.right for trial in trials if trial.how == "wake" and trial.turn is not None]
    measures["barge.right_rate"] = sum(map(bool, opened)) / len(opened) if opened else None
    notes = (
        f"People at {VOICE_DBFS:g} dBFS, the reply's echo {ECHO_BELOW_VOICE_DB:g} dB below them ({echo_db:.1f} dB from the "
        "loudspeaker); silence is counted from the end of the word in the room, or from the press, at the loudspeaker.",
        "cut_ms: from the program's own wake event to the loudspeaker's last sample; below 0, the reply was held before, "
        "when a word was only suspected. A hold that ends in sound again is no silence.",
        "holds: all there were; holds_unconfirmed: no word came of them, and the reply went on.",
        "right_rate: of the commands spoken 0.15 s behind the wake word, where it was heard.",
    )
    return SuiteResult("barge", len(trials), measures, [trial.row() for trial in trials], notes)
