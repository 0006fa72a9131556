"""In: messages on `cmd/…`. Out: what was asked is done, and an answer that says so, or why not. Rate-limited."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from appliance.errors import ApplianceError, UsageError
from appliance.telemetry.commands.schema import Answer, Command, RefreshHome, parse, request_id
from appliance.telemetry.device import CommandTarget
from appliance.telemetry.mqtt.incoming import Incoming

log = logging.getLogger(__name__)

BURST_S = 4.0
"""So many seconds' worth of commands may come at once."""
AT_ONCE = 8
"""Commands under way; `say` lasts as long as it speaks."""
DEADLINE_S = 60.0
"""A command that is not done by then is given up."""


class Bucket:
    """A token bucket: `per_second` on average, BURST_S of them at once."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * BURST_S)
        self._tokens = self._most
        self._at_s = time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now_s = time.monotonic()
        self._tokens = min(self._most, self._tokens + (now_s - self._at_s) * self._per_second)
        self._at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Commander:
    """Takes commands. `take` is called in the event loop and returns at once."""

    def __init__(
        self,
        target: CommandTarget,
        per_second: float,
        answer: Callable[[Incoming, Answer], None],
        refresh_home: Callable[[], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        """taken, done, refused, over_rate, retained."""
        self._hands = target
        self._bucket = Bucket(per_second)
        self._complaints = Bucket(1 / BURST_S)
        self._answer = answer
        self._refresh_home = refresh_home
        self._running: set[asyncio.Task[None]] = set()

    def take(self, name: str, incoming: Incoming) -> None:
        """Starts the command, or refuses it. A retained one is rubbish: it would be done again at every connect."""
        if incoming.retain:
            self.counters["retained"] += 1
            return
        if not self._bucket.take() or len(self._running) >= AT_ONCE:
            self.counters["over_rate"] += 1
            if self._complaints.take():
                self._refuse(name, incoming, UsageError("too-many", "Too many commands: some were not done."))
            return
        self.counters["taken"] += 1
        try:
            command = parse(name, incoming.payload)
        except UsageError as error:
            self._refuse(name, incoming, error, request_id(incoming.payload))
            return
        task = asyncio.get_running_loop().create_task(self._run(command, incoming), name=f"command {name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, command: Command, incoming: Incoming) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                result = await self._do(command)
        except TimeoutError:
            self._refuse(command.name, incoming, UsageError("deadline", "It took too long."), command.request_id)
        except ApplianceError as error:
            self._refuse(command.name, incoming, error, command.request_id)
        else:
            self.counters["done"] += 1
            log.info("command %s: done", command.name)
            body = {"command": command.name, "ok": True, "result": result, "error": None}
            self._answer(incoming, {**body, "request_id": command.request_id})

    async def _do(self, command: Command) -> Answer:
        if isinstance(command, RefreshHome):
            self._refresh_home()
            return {}
        work: Awaitable[Answer] = command.run(self._hands)
        return await work

    def _refuse(self, name: str, incoming: Incoming, error: ApplianceError, asked: str | None = None) -> None:
        self.counters["refused"] += 1
        log.info("command %s: refused (%s)", name[:40], error.code)
        said = {"code": error.code, "message": error.message}
        body = {"command": name[:64], "ok": False, "result": None, "error": said, "request_id": asked}
        self._answer(incoming, body)

    def close(self) -> None:
        """Gives up what is under way."""
        for task in self._running:
            task.cancel()
