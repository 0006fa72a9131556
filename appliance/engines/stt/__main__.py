"""In: `--socket PATH --config FILE`. Out: the speech-to-text child, served on that socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.engines.host import Engine, main
from appliance.engines.stt.choose import choose
from appliance.engines.stt.session import Session, Worker
from appliance.wire.child import ChildConfig
from appliance.wire.frame import Connection


@asynccontextmanager
async def stt(config: ChildConfig) -> AsyncIterator[Engine]:
    """Loads the recogniser and serves one utterance a connection."""
    recogniser = choose(config)
    worker = Worker()
    sha256 = config.models.stt.sha256 if config.models.stt else {}

    async def serve(connection: Connection) -> None:
        await Session(connection, recogniser, worker, sha256).run()

    try:
        yield serve
    finally:
        worker.close()


if __name__ == "__main__":
    main("stt", stt)
