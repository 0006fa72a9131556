"""The agent without a grammar: what confidence decides, whose home counts, which grammar files stay."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.conversation import agent as agent_module
from appliance.conversation.agent import Agent
from appliance.conversation.context import Trigger
from appliance.events import Bus, VolumeChanged
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Area, Home
from appliance.intents.interpretation import Interpretation
from appliance.settings import Settings
from appliance.wire.stt import Transcript
from tests.clock import instant

COMMAND = Trigger("command")


class FakeInterpreter:
    """Knows the sentences in `meanings`."""

    spent = False

    meanings = {
        "what time is it": Interpretation("HassGetCurrentTime"),
        "light on": Interpretation("HassTurnOn", {"name": "lamp"}),
        "light off": Interpretation("HassTurnOff", {"name": "lamp"}),
    }

    def interpret(self, text: str, context: Interpretation | None) -> Interpretation | None:
        return self.meanings.get(text)


class FakeEar:
    """Takes volumes and mute."""

    def __init__(self) -> None:
        self.muted = False
        self.volumes: dict[str, int] = {}

    def begin_muted(self, muted: bool) -> None:
        self.muted = muted

    async def mute(self, muted: bool) -> None:
        self.muted = muted

    async def set_volume(self, percent: int, voice: str = "reply") -> None:
        self.volumes[voice] = percent


class Compiling:
    """Stands for the compile; what `held` names waits to be let go."""

    def __init__(self) -> None:
        self.held: dict[str | None, threading.Event] = {}

    def __call__(self, home: Home) -> tuple[Home, GrammarSource, Any]:
        if home.area in self.held:
            self.held[home.area].wait(30)
        return home, GrammarSource("en", {"language": "en", "intents": {}, "home": repr(home)}), FakeInterpreter()


Make = Callable[[], Agent]


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Compiling]:
    fake = Compiling()
    monkeypatch.setattr(Agent, "_compile", lambda agent, home: fake(home))
    monkeypatch.setattr(agent_module, "following", lambda source: GrammarSource("en", {**source.sentences, "f": 1}))
    yield fake


@pytest.fixture
def make(compiling: Compiling, tmp_path: Path) -> Make:
    device = Settings().device.model_copy(update={"state_dir": tmp_path, "area": "kitchen"})
    settings = Settings().model_copy(update={"device": device})

    def agent() -> Agent:
        ear: Any = FakeEar()
        return Agent(settings, Bus(), ear, lambda timer: None, lambda: None)

    return agent


@instant
async def test_only_what_was_heard_surely_enough_is_a_command(make: Make) -> None:
    agent = make()
    floor = Settings().intents.accept_from

    async def meant(confidence: float | None) -> Interpretation | None:
        return await agent.interpret(Transcript("what time is it", confidence=confidence), COMMAND)

    assert await meant(floor - 0.01) is None
    assert (await meant(floor)) == (await meant(0.99)) == FakeInterpreter.meanings["what time is it"]
    assert await meant(None) is not None, "a free recogniser tells none"
    assert await agent.interpret(Transcript("mumble", confidence=1.0), COMMAND) is None


@instant
async def test_the_newest_home_wins_whichever_is_compiled_last(make: Make, compiling: Compiling) -> None:
    agent = make()
    assert agent.home.area == "kitchen"
    old, new = Home(areas=(Area("Attic"),), area="old"), Home(areas=(Area("Cellar"),), area="new")
    compiling.held["old"] = threading.Event()
    first = asyncio.create_task(agent.set_home(old))
    await asyncio.sleep(0)
    await agent.set_home(new)
    assert agent.home is new
    compiling.held["old"].set()
    await first
    assert agent.home is new and agent.wanted_home is new


@instant
async def test_grammars_of_homes_before_the_last_are_removed(make: Make, tmp_path: Path) -> None:
    agent = make()
    folder = tmp_path / "run"
    folder.mkdir()
    agent.write_grammar(folder)
    generations = [{Path(t.grammar or "") for t in agent.utterances_to_expect()}]
    for area in ("a", "b", "c"):
        await agent.set_home(Home(area=area))
        generations.append({Path(t.grammar or "") for t in agent.utterances_to_expect()})
    assert all(len(files) == 2 for files in generations)
    assert set(folder.iterdir()) == generations[-1] | generations[-2], "a turn under way may still want those before"


@instant
async def test_loudness_and_mute_survive_a_restart(make: Make) -> None:
    agent = make()
    told = agent._bus.subscribe("test")
    await agent.set_volume(30)
    await agent.set_mute(True)
    assert agent._ear.volumes == {"reply": 30}  # type: ignore[attr-defined]
    assert [event.percent for event in told.waiting() if isinstance(event, VolumeChanged)] == [30]
    again = make()
    assert again.levels.percent("reply") == 30 and again.muted
    await again.reset_levels()
    assert make().levels.percent("reply") == Settings().sound.volume_percent


@instant
async def test_its_own_words_come_back_by_the_microphone(make: Make) -> None:
    agent = make()
    assert not agent.own_words("The time is ten past eight.")
    agent.answered(None, "The time is ten past eight.")
    assert agent.own_words("the time is ten past eight") and not agent.own_words("turn off the light")
    assert not agent.own_words("eight"), "too short to tell"
    await asyncio.sleep(agent_module.OWN_WORDS_S + 0.1)
    assert not agent.own_words("the time is ten past eight")
    assert agent.last_reply() == "The time is ten past eight."


@instant
async def test_what_was_said_before_is_referred_to_only_while_it_is_fresh(make: Make) -> None:
    agent = make()
    before = Interpretation("HassTurnOn", {"name": "lamp"})
    agent.answered(before, "done")
    assert agent._context(COMMAND) == before.bare()
    asked = Interpretation("Ask")
    assert agent._context(Trigger("follow_up", question=asked)) is asked
    await asyncio.sleep(agent_module.REMEMBERED_S + 0.1)
    assert agent._context(COMMAND) is None
    agent.answered(Interpretation("HassGetCurrentTime"), "ten")
    assert agent._context(COMMAND) is None, "nothing in it can be replaced"


def test_every_apology_has_words_or_is_a_tone(make: Make) -> None:
    agent = make()
    for reason in ("not_understood", "failed_stt", "failed_action"):
        assert agent.apology(reason), reason
    assert agent.apology("no such reason") == ""
