"""In: `--socket PATH --config FILE`. Out: the text-to-speech child, served on that socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.engines.host import Engine, main
from appliance.engines.tts.cache import PhraseCache
from appliance.engines.tts.choose import choose
from appliance.engines.tts.maker import Maker
from appliance.engines.tts.session import Session
from appliance.wire.child import ChildConfig
from appliance.wire.frame import Connection

FOLDER = "phrases"
"""The phrase cache in the state directory, where the settings name no other folder."""


@asynccontextmanager
async def tts(config: ChildConfig) -> AsyncIterator[Engine]:
    """Loads the voice and serves one reply a connection."""
    speaker, settings = choose(config), config.settings.tts
    folder = settings.cache_dir or config.settings.device.state_dir / FOLDER
    maker = Maker(speaker, PhraseCache(folder, settings.cache_mb * 1_000_000, speaker.rate_hz))
    sha256 = config.models.tts.sha256 if config.models.tts and speaker.model else {}

    async def serve(connection: Connection) -> None:
        await Session(connection, maker, sha256, settings.warm and settings.cache_mb > 0).run()

    try:
        yield serve
    finally:
        maker.close()


if __name__ == "__main__":
    main("tts", tts)
