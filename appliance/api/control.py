"""In: requests on the control socket (0600). Out: what the running device does about them, and its answer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance import __version__
from appliance.conversation.context import Trigger
from appliance.errors import ApplianceError, UsageError
from appliance.events import MEASURES_MS, PartialHeard, TurnEnded, TurnRecord
from appliance.panel.command import panel_command
from appliance.wire.control import Answer, Progress, Request
from appliance.wire.frame import Connection, connect, serve

if TYPE_CHECKING:
    from appliance.app import Appliance

SOCKET = "control.sock"
SERVICE_DIR = Path("/run/appliance")
"""RuntimeDirectory= of systemd/appliance.service."""
MOST_TEXT = 2000
"""Characters of a text to say."""

Command = Callable[["Control", Connection, dict[str, Any]], Awaitable[dict[str, Any]]]


class Control:
    """The device's side of the control socket."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance

    async def run(self) -> None:
        """Serves until cancelled."""
        socket = self._appliance.settings.device.runtime_dir / SOCKET
        server = await serve(socket, "control", self._handle)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            socket.unlink(missing_ok=True)

    async def _handle(self, connection: Connection) -> None:
        request = Request.from_event(await connection.receive(10.0))
        command = COMMANDS.get(request.command)
        try:
            if command is None:
                raise UsageError("unknown-command", f"The device knows no command '{request.command}'.")
            answer = Answer(True, await command(self, connection, request.arguments or {}))
        except ApplianceError as error:
            answer = Answer(False, error=error.message)
        await connection.send(answer.event())

    async def say(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        text = str(arguments.get("text", "")).strip()
        if not text or len(text) > MOST_TEXT:
            raise UsageError("bad-text", f"A text to say has 1 to {MOST_TEXT} characters.")
        await self._appliance.conversation.announce(text, bool(arguments.get("chime")))
        return {}

    async def listen(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        """One turn, as by the button, its partial readings told on the way."""
        name = f"control-listen-{id(connection)}"
        watch = self._appliance.bus.subscribe(name)
        try:
            self._appliance.conversation.open(Trigger("command"))
            async for event in watch:
                if isinstance(event, PartialHeard):
                    await connection.send(Progress({"text": event.text, "audio_ms": event.audio_ms}).event())
                elif isinstance(event, TurnEnded):
                    return turn_table(event.record)
        finally:
            self._appliance.bus.unsubscribe(name)
        raise AssertionError("a watch never ends")

    async def ask(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        """A sentence as if it had been said; the answer is spoken too."""
        text = " ".join(str(arguments.get("text", "")).split())
        if not text or len(text) > MOST_TEXT:
            raise UsageError("bad-text", f"A sentence has 1 to {MOST_TEXT} characters.")
        name = f"control-ask-{id(connection)}"
        watch = self._appliance.bus.subscribe(name)
        try:
            self._appliance.conversation.open(Trigger("command", text=text))
            async for event in watch:
                if isinstance(event, TurnEnded) and event.record.transcript == text:
                    reply = event.record.reply
                    question = reply if reply is not None and reply.endswith("?") else None
                    return {**turn_table(event.record), "question": question}
        finally:
            self._appliance.bus.unsubscribe(name)
        raise AssertionError("a watch never ends")

    async def stop(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"stopped": self._appliance.conversation.stop()}

    async def mute(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        await self._appliance.agent.set_mute(bool(arguments.get("muted", True)))
        return {"muted": self._appliance.ear.muted}

    async def panel(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        """Plays a state, lights one LED, or waits for the next gesture of the button."""
        return await panel_command(self._appliance.panel, arguments)

    async def status(self, connection: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
        return status(self._appliance)


COMMANDS: dict[str, Command] = {
    "say": Control.say,
    "ask": Control.ask,
    "listen": Control.listen,
    "stop": Control.stop,
    "mute": Control.mute,
    "panel": Control.panel,
    "status": Control.status,
}


def status(appliance: Appliance) -> dict[str, Any]:
    """What the device knows of itself; without transcripts."""
    ear = appliance.ear
    return {
        "version": __version__,
        "device": appliance.settings.device.id,
        "uptime_s": round(time.monotonic() - appliance.started_s, 1),
        "startup_s": appliance.ready_s and round(appliance.ready_s, 2),
        "hearing": ear.hearing.value,
        "deaf_reason": ear.deaf_reason,
        "engines": {
            child.name: {
                "ready": child.ready,
                "engine": child.about.engine if child.about else None,
                "model": child.about.model if child.about else None,
                "restarts": child.restarts,
                "breaker_open": child.breaker_open,
                "last_failure": child.last_failure,
                "pid": child.pid,
                "counters": dict(ear.counters if child.name == "sound" else child.counters),
            }
            for child in appliance.children
        },
        "panel": appliance.panel.status(),
        "turns": [turn_table(record, private=True) for record in list(appliance.conversation.records)[-10:]],
        "dropped": appliance.bus.dropped() | {"listening": ear.dropped_blocks},
        "telemetry": appliance.telemetry.health(),
        "parts": appliance.contained.table(),
    }


def turn_table(record: TurnRecord, private: bool = False) -> dict[str, Any]:
    """A turn as `replay --json` prints it; `private` leaves out what was said."""
    table: dict[str, Any] = {
        "outcome": record.outcome.value,
        "wake_word": record.wake_word,
        "wake_score": record.wake_score,
        "transcript": record.transcript,
        "intent": record.intent,
        "slots": record.slots if record.intent else None,
        "confidence": record.confidence,
        "reply": record.reply,
        "error": record.error,
        "ms": {name: record.ms.get(name) for name in MEASURES_MS},
    }
    if private:
        for key in ("transcript", "reply", "slots"):
            del table[key]
    return table


class NotRunning(ApplianceError):
    """No device runs here (for this user and these settings)."""


@contextlib.asynccontextmanager
async def dial(runtime_dir: Path) -> AsyncIterator[Connection]:
    """A connection to the running device: one started by hand, else the system's service. Raises NotRunning."""
    folder = SERVICE_DIR if not (runtime_dir / SOCKET).exists() and (SERVICE_DIR / SOCKET).exists() else runtime_dir
    try:
        connection = await connect(f"unix://{folder / SOCKET}", "control", 1.0)
    except ApplianceError as error:
        raise NotRunning("not-running", f"No appliance runs here ({folder / SOCKET} does not answer).") from error
    async with connection:
        yield connection


async def ask(
    runtime_dir: Path,
    command: str,
    arguments: dict[str, Any] | None = None,
    timeout_s: float = 120.0,
    on_progress: Callable[[dict[str, Any]], None] = lambda data: None,
) -> dict[str, Any]:
    """Asks the running device. Raises NotRunning where none runs, ApplianceError where it could not do it."""
    async with dial(runtime_dir) as connection:
        await connection.send(Request(command, arguments).event())
        while True:
            event = await connection.receive(timeout_s)
            if Progress.matches(event):
                on_progress(Progress.from_event(event).data)
                continue
            answer = Answer.from_event(event)
            if not answer.ok:
                raise ApplianceError("refused", answer.error or "The device could not do it.")
            return answer.data or {}
