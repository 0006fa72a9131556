"""In: settings and models. Out: the running device. The only wiring: started in order, stopped in reverse.

children → conversation → timers → panel → telemetry → control socket. Nothing but this file knows them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from appliance import __version__
from appliance.actions.timers import Timer
from appliance.api.commands import DeviceSource, RemoteCommands
from appliance.api.control import Control
from appliance.api.home_link import HomeLink
from appliance.catalogue.stand_in import stand_ins, what_it_hears
from appliance.conversation.agent import Agent
from appliance.conversation.button_actions import ButtonActions
from appliance.conversation.clients.sound import SoundClient
from appliance.conversation.clients.stt import compile_ahead
from appliance.conversation.clients.tts import TtsClient
from appliance.conversation.context import TurnContext
from appliance.conversation.conversation import Conversation
from appliance.conversation.loudspeaker import Loudspeaker
from appliance.conversation.phrases import AGAIN_S
from appliance.errors import ApplianceError, DeviceError, EngineError, SttError
from appliance.events import Bus, EngineChanged, State, StateChanged, TurnRecord
from appliance.files import private_folder
from appliance.hardware.gpio import header_chip
from appliance.panel.panel import Panel
from appliance.settings import Settings
from appliance.supervisor.child import Child
from appliance.supervisor.contained import Contained
from appliance.supervisor.hearing_repair import HearingRepair
from appliance.supervisor.systemd import notify, watchdog_s
from appliance.telemetry.health import HealthEndpoint
from appliance.telemetry.telemetry import Telemetry
from appliance.wire.child import ChildConfig, Models

log = logging.getLogger(__name__)

TELL_MOST = 100
"""Texts of the device's own that wait to be spoken; an agenda holds 50 entries."""
TELL_TRIES = 5
TELL_AGAIN_S = 30.0
"""Between tries where the voice or the loudspeaker fails."""


class Appliance:
    """The running device. Made by `running`."""

    def __init__(self, settings: Settings, models: Models) -> None:
        self.settings = settings
        self.models = models
        self.started_s = time.monotonic()
        self.ready_s: float | None = None
        self.bus = Bus()
        self.contained = Contained(self.bus)
        folder = settings.device.runtime_dir
        lossless = settings.sound.source == "feed" and settings.sound.feed_speed == 0
        self.ear = SoundClient(settings.supervisor, self.bus, lossless)
        config = folder / "child.json"
        watch = settings.supervisor

        def child(name: str, uri: str | None = None) -> Child:
            session = self.ear.session if name == "sound" else None
            return Child(name, watch, self.bus, folder / f"{name}.sock", config, uri, session)

        self.sound = child("sound")
        self.stt = child("stt", settings.stt.uri)
        self.tts = child("tts", settings.tts.uri)
        self.children = (self.sound, self.stt, self.tts)
        self.repair = HearingRepair(self.ear, self.sound)
        self.voice = TtsClient(self.tts, settings.sound.feed_speed if settings.sound.source == "feed" else 1.0)
        self.agent = Agent(settings, self.bus, self.ear, self._rang, self._last_turn)
        self.conversation = Conversation(
            TurnContext(
                settings=settings.conversation,
                vad_threshold=settings.vad.threshold,
                bus=self.bus,
                ear=self.ear,
                stt=self.stt,
                voice=self.voice,
                agent=self.agent,
                loudspeaker=Loudspeaker(self.ear, lambda: self.agent.levels.percent("reply")),
                lockstep=lossless,
            )
        )
        self.panel = Panel(settings.panel, self.bus, header_chip, ButtonActions(self.conversation, self.agent))
        self._to_tell: asyncio.Queue[str] = asyncio.Queue(TELL_MOST)
        self.agent.on_tell, self.agent.on_alarm = self._told, self.conversation.ring
        self._compiling = asyncio.Lock()
        self._understands = asyncio.Event()
        """The recogniser knows what may be said, or could not learn it."""
        self.hands = RemoteCommands(self)
        self.hands.brightness = self.panel.set_brightness
        house = HomeLink(settings.device, self.agent, self.conversation, self.compile_grammars)
        self.telemetry = Telemetry(settings.telemetry, settings.device, self.bus, DeviceSource(self), self.hands, house)
        house.telemetry = self.telemetry

    def _last_turn(self) -> TurnRecord | None:
        records = self.conversation.records
        return records[-1] if records else None

    def _rang(self, timer: Timer) -> None:
        if timer.command is not None:
            self.conversation.command(timer.command)
        self.conversation.ring()

    async def tell(self) -> None:
        """Speaks reminders and what could not be done, one after the other, between turns."""
        while True:
            text = await self._to_tell.get()
            for _ in range(TELL_TRIES):
                try:
                    await self.conversation.announce(text, chime=True)
                    break
                except ApplianceError as error:
                    log.warning("reminder: %s", error)
                    await asyncio.sleep(TELL_AGAIN_S)

    def _told(self, text: str) -> None:
        try:
            self._to_tell.put_nowait(text)
        except asyncio.QueueFull:
            log.error("reminder: too many at once, one is lost")

    async def greet(self) -> None:
        """Once the engines are ready: volumes as they were; then the phrase cache is warmed, again and again."""
        await self.agent.recall()
        await self.wait_ready()
        while True:
            if self.settings.tts.warm:
                await self.voice.warm(self.agent.phrases())
            await asyncio.sleep(AGAIN_S)

    async def prepare_recogniser(self) -> None:
        """Has every new recogniser compile the grammars before somebody speaks."""
        ready = self.bus.subscribe("prepare-recogniser")
        async for event in ready:
            if isinstance(event, EngineChanged) and event.engine == "stt" and event.change == "ready":
                if self.stt.about is not None and self.stt.about.engine != "grammar":
                    await self.agent.expect_free_text()
                await self.compile_grammars()

    async def compile_grammars(self) -> None:
        """Has the recogniser compile what may be said now, so that no turn waits for it. Gives up where it cannot."""
        async with self._compiling:  # two at once would push each other's grammars off the recogniser's shelf
            try:
                for transcribe in self.agent.utterances_to_expect():
                    await compile_ahead(self.stt, transcribe)
                    self._understands.set()
            except (EngineError, SttError) as error:
                log.warning("grammar: %s", error)
            finally:
                self._understands.set()

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What the conversation can do without: name → life. In the order in which they are started."""
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "timers": self.agent.timers.run,
            "agenda": self.agent.agenda.run,
            "tell": self.tell,
            "panel": self.panel.run,
            "greet": self.greet,
            "prepare recogniser": self.prepare_recogniser,
            "hearing repair": self.repair.run,
            "telemetry": self.telemetry.run,
            "control": Control(self).run,
        }
        settings = self.settings.telemetry.health
        if settings.enabled:
            parts["health"] = HealthEndpoint(settings, self.health, self.settings.device.id).run
        return parts

    def health(self) -> dict[str, Any]:
        """What the health endpoint tells: telemetry's verdicts, and how the contained parts fare."""
        return {
            **self.telemetry.health(),
            "parts": self.contained.table(),
            "hearing_repair": self.repair.table(),
        }

    def prepare_folders(self) -> None:
        """Makes the run-time and the state directory (0700 both, no links of others), and the file the children read."""
        device = self.settings.device
        try:
            private_folder(device.runtime_dir)
            private_folder(device.state_dir)
            ChildConfig(settings=self.settings, models=self.models).write(device.runtime_dir / "child.json")
        except OSError as error:
            raise DeviceError("no-folder", f"{error.filename or device.runtime_dir}: {error.strerror}.") from error

    def clear_folders(self) -> None:
        """Removes what this run left in the run-time directory, and the directory where it is empty then."""
        folder = self.settings.device.runtime_dir
        with contextlib.suppress(OSError):
            for file in folder.iterdir():
                if not file.is_dir():
                    file.unlink()
            folder.rmdir()

    async def wait_ready(self) -> bool:
        """Waits until every engine is ready, the grammar too, or had its time; whether all are."""
        waits = [child.wait_ready(self.settings.supervisor.start_s) for child in self.children]
        ready = all(await asyncio.gather(*waits))
        if self.stt.ready:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.supervisor.start_s):
                    await self._understands.wait()
        self.ready_s = time.monotonic() - self.started_s
        return ready


@contextlib.asynccontextmanager
async def running(settings: Settings, models: Models) -> AsyncIterator[Appliance]:
    """The device, running for as long as the context lasts. Raises DeviceError if its folders cannot be made."""
    appliance = Appliance(settings, models)
    appliance.prepare_folders()
    appliance.agent.write_grammar(settings.device.runtime_dir)
    log_start(settings, models)
    appliance.bus.publish(StateChanged(state=State.STARTING))
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child.run(), name=child.name) for child in appliance.children]
            tasks.append(group.create_task(appliance.conversation.run(), name="conversation"))
            for name, life in appliance.parts().items():
                tasks.append(group.create_task(appliance.contained.keep(name, life), name=name))
            tasks.append(group.create_task(appliance.contained.keep("watchdog", _feed_watchdog, once=True)))
            tasks.append(group.create_task(_become_ready(appliance), name="ready"))
            try:
                yield appliance
            finally:
                for task in reversed(tasks):
                    task.cancel()
    except BaseExceptionGroup as several:
        if len(several.exceptions) == 1:
            raise several.exceptions[0] from None  # the body's own error, or the one task that failed
        raise
    else:  # after a failure they stay: a second run in a folder that is in use must not empty it
        appliance.clear_folders()


async def _become_ready(appliance: Appliance) -> None:
    complete = await appliance.wait_ready()
    appliance.bus.publish(StateChanged(state=State.STARTING, on=False))
    missing = [child.name for child in appliance.children if not child.ready]
    status = "ready" if complete else f"degraded: no {', '.join(missing)}"
    log.info("%s after %.2f s", status, appliance.ready_s or 0.0)
    notify(READY=1, STATUS=status)


async def _feed_watchdog() -> None:
    """Proves to systemd that this loop advances; a blocked loop misses its turn and is restarted."""
    interval_s = watchdog_s()
    while interval_s is not None:
        notify(WATCHDOG=1)
        await asyncio.sleep(interval_s / 2)


def log_start(settings: Settings, models: Models) -> None:
    """The first lines of a run: version, model hashes, settings that matter."""
    log.info("appliance %s, language %s, device %s", __version__, settings.device.language, settings.device.id)
    for model in (models.stt, models.tts, models.vad, *models.wake):
        if model is not None:
            log.info("model %s (%s) %s", model.name, model.kind, " ".join(h[:12] for h in model.sha256.values()))
    if models.stt is not None and models.stt.name in stand_ins(settings.device.language):
        log.warning("%s.", what_it_hears(models.stt.name, settings.device.language))
    if models.stt is None or models.tts is None:
        log.warning("Starter engines run, because no models are here: `appliance models fetch` gets the real ones.")


def private_folders(settings: Settings, folder: Path) -> Settings:
    """The settings of a run of its own beside a running device: its own run-time and state directory in `folder`.

    Models stay where they are, so that nothing is fetched twice; the phrase cache is a new one, so that runs are alike.
    LEDs and button belong to the running device.
    """
    device = settings.device.model_copy(update={"runtime_dir": folder / "run", "state_dir": folder / "state"})
    models = settings.models.model_copy(update={"dir": settings.models.dir or settings.device.state_dir / "models"})
    board = settings.panel.board if settings.panel.board == "virtual" else "none"
    panel = settings.panel.model_copy(update={"board": board, "leds": "board", "button_pin": None})
    health = settings.telemetry.health.model_copy(update={"enabled": False})  # its port is the running device's
    telemetry = settings.telemetry.model_copy(update={"health": health})
    return settings.model_copy(update={"device": device, "models": models, "panel": panel, "telemetry": telemetry})
