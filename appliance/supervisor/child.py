"""In: a command line and a socket. Out: a child process that is kept ready: started, watched, replaced.

Life of a child: exec → socket answers `describe` → ready → heartbeats → (dies, hangs, talks rubbish) → kill -9 →
back-off → exec. An engine with a `uri` is supervised elsewhere: only its connection is watched.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from appliance.errors import EngineError
from appliance.events import Bus, EngineChanged
from appliance.files import Damaged, read_text
from appliance.settings.supervision import SupervisorSettings
from appliance.supervisor.liveness import LivenessProbe
from appliance.supervisor.restart import RestartPolicy
from appliance.supervisor.stray import StrayOutput
from appliance.wire.child import LOG_FD, last_words
from appliance.wire.frame import Connection, connect
from appliance.wire.message import Describe, Ping, Pong, Ready

log = logging.getLogger(__name__)

NOT_READY = "not-ready"
"""Code of the error that a child which is being started gives: nothing is wrong with it yet."""
CONNECT_RETRY_S = 0.02
MOST_LAST_WORDS = 2000
"""Bytes."""
PROVEN_S = 5.0
"""A child that was ready for this long has proved itself; the time it took to load says nothing."""

Session = Callable[[Connection], Awaitable[None]]


class Child:
    """One supervised engine. `run` is its whole life; `connect` gives a connection once it is ready."""

    def __init__(
        self,
        name: str,
        settings: SupervisorSettings,
        bus: Bus,
        socket: Path,
        config: Path,
        uri: str | None = None,
        session: Session | None = None,
    ) -> None:
        """`session` talks on the watched connection until something fails; without one, heartbeats do."""
        self.name = name
        self.restarts = 0
        self.about: Ready | None = None
        self.counters: dict[str, float] = {}
        self.breaker_open = False
        self.last_failure: str | None = None
        self._settings = settings
        self._bus = bus
        self._socket = socket
        self._config = config
        self._uri = uri or f"unix://{socket}"
        self._external = uri is not None
        self._session = session or self._heartbeats
        self._ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._stray: StrayOutput | None = None
        self._suspicion: asyncio.Future[EngineError] | None = None
        self._policy = RestartPolicy(settings)
        self._ready_since_s: float | None = None

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """Process id while the child runs; None for an engine supervised elsewhere."""
        return None if self._process is None else self._process.pid

    @property
    def watch(self) -> LivenessProbe | None:
        """Tells its hang from its hunger for a CPU; None where its process is not known."""
        return None if self.pid is None else LivenessProbe(self.pid)

    async def outlast(self, word: asyncio.Future[Any], limit_s: float) -> bool:
        """Waits until `word` is done, or the child was silent for `limit_s` on its own time; whether it is done."""
        if (watch := self.watch) is not None:
            return await watch.outlast(word, limit_s)
        await asyncio.wait((word,), timeout=limit_s)
        return word.done()

    async def connect(self, timeout_s: float) -> Connection:
        """A new connection as soon as the child is ready. Raises EngineError if it is not in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    await self._ready.wait()
                    try:
                        return await connect(self._uri, self.name)
                    except EngineError as error:
                        self.suspect(error)
                        await asyncio.sleep(CONNECT_RETRY_S)
        except TimeoutError as error:
            raise EngineError(NOT_READY, f"The {self.name} engine is not ready.", self.name) from error

    def suspect(self, error: EngineError) -> None:
        """Someone who used the child saw it fail: it is replaced at once. One that is only being started is left alone."""
        if not self.ready or error.code == NOT_READY:
            return  # whoever waited in vain for a successor must not have it killed as soon as it is there
        self._ready.clear()
        if self._suspicion is not None and not self._suspicion.done():
            self._suspicion.set_result(error)

    async def wait_ready(self, timeout_s: float) -> bool:
        """Whether the child became ready in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        return self._ready.is_set()

    async def run(self) -> None:
        """Keeps the child ready until cancelled; then ends it."""
        while True:
            self._suspicion = asyncio.get_running_loop().create_future()
            self._ready_since_s = None
            try:
                await self._live()
            except EngineError as error:
                self._failed(error)
            finally:
                self._ready.clear()
                await self._kill()
            ready_since_s = self._ready_since_s
            if ready_since_s is not None and time.monotonic() - ready_since_s > PROVEN_S:
                self._policy.worked()
            wait = self._policy.failed(time.monotonic(), was_ready=ready_since_s is not None)
            self.breaker_open = wait.breaker_open
            if wait.breaker_open:
                log.error("%s: crash loop, next start in %.0f s", self.name, wait.seconds)
                self._tell("breaker_open")
            await asyncio.sleep(wait.seconds)
            self.restarts += 1

    def _failed(self, error: EngineError) -> None:
        self.last_failure = error.message
        log.warning("%s: %s Restarting.", self.name, error.message)
        if error.code == "died" and self._stray is not None and self._stray.last_words:
            log.warning("%s: its last words: %s", self.name, self._stray.last_words)
        self._tell("died", error.message)

    def _tell(self, change: str, reason: str | None = None) -> None:
        self._bus.publish(EngineChanged(engine=self.name, change=change, reason=reason, restarts=self.restarts))

    async def _live(self) -> None:
        assert self._suspicion is not None
        if not self._external:
            await self._start()
        connection = await self._first_connection()
        async with connection:
            self.about = await self._describe(connection)
            connection.watch = self.watch
            self._ready_since_s = time.monotonic()
            self._ready.set()
            self.breaker_open = False
            self._tell("ready")
            log.info("%s: ready (%s %s)", self.name, self.about.engine, self.about.model or "")
            await self._until_failure(connection, self._suspicion)
            raise EngineError("closed", f"The {self.name} engine ended its session.", self.name)

    async def _until_failure(self, connection: Connection, suspicion: asyncio.Future[EngineError]) -> None:
        """Returns when the session ends; raises how the child failed: its exit, its session's error, a suspicion."""
        session = asyncio.create_task(_awaited(self._session(connection)), name=f"{self.name} session")
        exit_watch = asyncio.create_task(self._exited(), name=f"{self.name} exit")
        try:
            await asyncio.wait((session, exit_watch, suspicion), return_when=asyncio.FIRST_COMPLETED)
            if suspicion.done():
                raise suspicion.result()
            for task in (exit_watch, session):
                if task.done():
                    await task
        finally:
            for task in (session, exit_watch):
                task.cancel()
            await asyncio.gather(session, exit_watch, return_exceptions=True)

    async def _start(self) -> None:
        self._stray = StrayOutput(self.name)
        log_fd = None
        try:
            self._socket.unlink(missing_ok=True)
            last_words(self._socket).unlink(missing_ok=True)
            await self._stray.open()
            log_fd = os.dup(2)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"appliance.engines.{self.name}",
                "--socket", str(self._socket), "--config", str(self._config),
                stdin=asyncio.subprocess.DEVNULL, stderr=self._stray.write_fd,
                pass_fds=(log_fd,), env={**os.environ, LOG_FD: str(log_fd)},
            )  # fmt: skip
        except OSError as error:  # too many processes or open files, no memory: that passes
            raise EngineError(
                "no-process", f"The {self.name} engine cannot be started: {error.strerror}.", self.name
            ) from error
        finally:
            if log_fd is not None:
                os.close(log_fd)
            self._stray.close_write_end()

    async def _first_connection(self) -> Connection:
        try:
            async with asyncio.timeout(self._settings.start_s):
                while True:
                    if self._process is not None and self._process.returncode is not None:
                        raise self._ended(self._process.returncode)
                    with contextlib.suppress(EngineError):
                        return await connect(self._uri, self.name)
                    await asyncio.sleep(CONNECT_RETRY_S)
        except TimeoutError as error:
            raise EngineError(
                "start-timeout", f"The {self.name} engine was not ready in {self._settings.start_s:g} s.", self.name
            ) from error

    async def _describe(self, connection: Connection) -> Ready:
        await connection.send(Describe().event())
        event = await connection.receive(self._settings.start_s)
        if not Ready.matches(event):
            raise EngineError("garbage", f"The {self.name} engine answered 'describe' with '{event.type}'.", self.name)
        return Ready() if self._external else Ready.from_event(event)

    async def _exited(self) -> None:
        if self._process is None:
            await asyncio.Event().wait()
            return
        raise self._ended(await self._process.wait())

    def _ended(self, code: int) -> EngineError:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        try:
            said = read_text(last_words(self._socket), MOST_LAST_WORDS)
        except (OSError, Damaged):  # it ended without a word
            return EngineError("died", f"The {self.name} engine {how}.", self.name)
        return EngineError("died", f"The {self.name} engine {how}: {said}", self.name)

    async def _heartbeats(self, connection: Connection) -> None:
        while not self._external:
            await connection.send(Ping().event(), self._settings.hung_s)
            event = await connection.receive(self._settings.hung_s)
            if not Pong.matches(event):
                raise EngineError("garbage", f"The {self.name} engine answered a ping with '{event.type}'.", self.name)
            self.counters = Pong.from_event(event).counters or {}
            await asyncio.sleep(self._settings.heartbeat_s)
        while True:  # supervised elsewhere, no heartbeats: that it closes the connection is all there is to see
            await connection.receive()

    async def _kill(self) -> None:
        if self._stray is not None:
            self._stray.close()
            self._stray = None
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # a stopped or hung process obeys nothing less
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await process.wait()
        self._process = None


async def _awaited(work: Awaitable[None]) -> None:
    await work
