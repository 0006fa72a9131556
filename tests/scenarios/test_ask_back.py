"""In: spoken commands with two meanings, through the real program. Out: a question, which the next utterance answers or not.

The voice is the device's own small one: no recording of such a conversation is at hand.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.conversation.context import Trigger
from appliance.engines.sound.capture.resample import Resampler
from appliance.events import Outcome, TurnEnded, TurnRecord, TurnStarted
from appliance.replay.feed import feed_settings
from appliance.replay.recording import load
from appliance.settings import load as load_settings
from appliance.wire.sound import Feed
from tests.shared import MODELS, needs_shared

pytestmark = [needs_shared, pytest.mark.timeout(120)]
RATE_HZ = 16000
LAMPS = [
    {"name": "Desk Lamp", "domain": "light", "area": "Bedroom"},
    {"name": "Desk Lamp", "domain": "light", "area": "Office"},
]
ALIKE = [{"name": "Bed Light", "domain": "light"}, {"name": "Bad Light", "domain": "light"}]


class Home:
    """The program, and someone who speaks to it."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance
        self._events = appliance.bus.subscribe("test", 20000)

    async def says(self, text: str, *, opens: bool = True) -> TurnRecord:
        """The turn that hears `text`; where it does not open one, the question before it did."""
        return await self.plays(await self._voice(text) if text else np.zeros(RATE_HZ // 2, np.int16), opens=opens)

    async def plays(self, audio: np.ndarray[Any, Any], *, opens: bool = True) -> TurnRecord:
        async with await self._appliance.sound.connect(10) as feed:
            if opens:
                await feed.send(Feed("recording", True, audio.tobytes()).event())
                self._appliance.conversation.open(Trigger("button"))
            else:
                await self._until(TurnStarted)
                await feed.send(Feed("recording", False, audio.tobytes()).event())
            ended = await self._until(TurnEnded)
            assert isinstance(ended, TurnEnded)
            return ended.record

    async def _until(self, kind: type[Any]) -> object:
        async with asyncio.timeout(30):
            async for event in self._events:
                if isinstance(event, kind):
                    return event
        raise AssertionError

    async def _voice(self, text: str) -> np.ndarray[Any, Any]:
        saying = self._appliance.voice.say(text)
        await saying.started(5.0)
        spoken = b"".join([piece async for piece in saying.pieces()])
        resampler = Resampler(saying.rate_hz, RATE_HZ)
        return np.concatenate((resampler.take(np.frombuffer(spoken, np.int16)), resampler.flush())).astype(np.int16)


def by_espeak(text: str, folder: Path) -> np.ndarray[Any, Any]:
    file = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "140", "-w", file, text], check=True)
    quiet = np.zeros(RATE_HZ // 4, np.int16)
    return np.concatenate((quiet, load(file).samples, quiet))


@asynccontextmanager
async def home(folder: Path, entities: list[dict[str, str]], *more: str) -> AsyncIterator[Home]:
    file = folder / "home.json"
    file.write_text(json.dumps({"area": "Kitchen", "areas": ["Kitchen", "Bedroom", "Office"], "entities": entities}))
    assignments = (f"models.mirror={MODELS}", f"intents.home_file={file}", "tts.warm=false", *more)
    settings = feed_settings(load_settings(None, assignments, {})[0], folder / "run", 1.0)
    async with app.running(settings, catalogue.resolve(settings)) as appliance:
        assert await appliance.wait_ready()
        yield Home(appliance)


@pytest.mark.parametrize(
    ("said", "outcome", "slots"),
    [
        ("In the office.", Outcome.NO_HOME_SERVER, {"name": "Desk Lamp", "area": "Office"}),
        ("The first one.", Outcome.NO_HOME_SERVER, {"name": "Desk Lamp", "area": "Bedroom"}),
        ("Neither.", Outcome.ANSWERED, {}),
        ("Never agent.", Outcome.ANSWERED, {}),
        ("", Outcome.NO_SPEECH, {}),
    ],
)
async def test_two_lamps_of_one_name(said: str, outcome: Outcome, slots: dict[str, str], tmp_path: Path) -> None:
    async with home(tmp_path, LAMPS, "conversation.no_speech_s=1.5") as spoken:
        asked = await spoken.says("Turn on the desk lamp.")
        assert asked.reply == "Bedroom or Office?", asked
        answered = await spoken.says(said, opens=False)
        assert (answered.cause, answered.outcome) == ("follow_up", outcome), answered
        assert {key: answered.slots.get(key) for key in slots} == slots if slots else not answered.slots
        if said.startswith("Ne"):
            assert answered.intent == "HassNevermind"


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng here")
@pytest.mark.parametrize(("said", "chosen"), [("The first one.", 0), ("The second one.", 1)])
async def test_two_names_that_sound_alike(said: str, chosen: int, tmp_path: Path) -> None:
    # At 0.1 a hair decides between asking or not; espeak-ng's voice, far from any person's, is read with little confidence.
    async with home(tmp_path, ALIKE, "intents.ask_within=0.5", "intents.accept_from=0.05") as spoken:
        asked = await spoken.plays(by_espeak("turn on the bed light", tmp_path))
        assert asked.reply is not None and asked.reply.endswith("?"), (asked.reply, asked.transcript, asked.confidence)
        choices = asked.reply.removesuffix("?").split(" or ")
        assert sorted(choices) == ["Bad Light", "Bed Light"]
        answered = await spoken.says(said, opens=False)
        assert (answered.cause, answered.slots.get("name")) == ("follow_up", choices[chosen]), answered
