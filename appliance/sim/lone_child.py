"""In: a stage word, settings and models. Out: a connection to one engine that runs alone, for benchmarks and tests.

The child is the real one, started by exec as the supervisor does it; it is killed when the block ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import EngineError
from appliance.settings import Settings
from appliance.sim.log import last_line
from appliance.wire.child import ChildConfig, Models
from appliance.wire.frame import Connection, connect
from appliance.wire.message import Describe, Ready

CONNECT_RETRY_S = 0.01


@dataclass(frozen=True, slots=True)
class LoneChild:
    """An engine that is ready."""

    stage: str
    uri: str
    pid: int
    about: Ready
    log: Path
    """What it wrote on standard error; gone when the block ends."""

    async def connect(self, timeout_s: float = 2.0) -> Connection:
        """A connection more; the caller closes it. Raises EngineError."""
        return await connect(self.uri, self.stage, timeout_s)


@asynccontextmanager
async def lone_engine(
    stage: str, settings: Settings, models: Models, start_s: float = 30.0
) -> AsyncIterator[LoneChild]:
    """Starts `python -m appliance.engines.STAGE` in a private directory and waits until it describes itself.

    Raises EngineError('died' or 'start-timeout') with the last line of its log if it does not become ready.
    """
    with tempfile.TemporaryDirectory(prefix=f"appliance-{stage}-") as folder:
        home = Path(folder)
        config, socket, log = home / "config.json", home / "engine.sock", home / "log"
        ChildConfig(settings=settings, models=models).write(config)
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"appliance.engines.{stage}", "--socket", str(socket), "--config", str(config),
                stdin=asyncio.subprocess.DEVNULL, stderr=errors, env=_environment(),
            )  # fmt: skip
        try:
            about = await _describe(stage, process, socket, log, start_s)
            yield LoneChild(stage, f"unix://{socket}", process.pid, about, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Settings travel in the config file: the child's own environment must not change them again."""
    return {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}


async def _describe(stage: str, process: asyncio.subprocess.Process, socket: Path, log: Path, start_s: float) -> Ready:
    try:
        async with asyncio.timeout(start_s):
            while True:
                if process.returncode is not None:
                    raise EngineError("died", f"The {stage} engine ended: {last_line(log)}", stage)
                with contextlib.suppress(EngineError):
                    async with await connect(f"unix://{socket}", stage) as connection:
                        await connection.send(Describe().event())
                        return Ready.from_event(await connection.receive(start_s))
                await asyncio.sleep(CONNECT_RETRY_S)
    except TimeoutError as error:
        raise EngineError("start-timeout", f"The {stage} engine was not ready in {start_s:g} s.", stage) from error
