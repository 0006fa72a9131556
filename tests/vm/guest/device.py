"""In: settings as `appliance run` takes them. Out: that program, and each of its happenings as a JSON line with its time."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from appliance import app, catalogue
from appliance.cli.run import log_to_stderr
from appliance.events import (
    ButtonPressed,
    DeviceEvent,
    EngineChanged,
    HearingChanged,
    TurnEnded,
    TurnStarted,
    WakeDetected,
)
from appliance.settings import load


def line(event: DeviceEvent) -> dict[str, object] | None:
    """What the hand wants to know of it; None: nothing."""
    match event:
        case TurnStarted():
            what = event.cause
        case TurnEnded():
            what = event.record.outcome.value
        case ButtonPressed():
            what = event.gesture
        case WakeDetected():
            what = event.wake_word
        case EngineChanged():
            what = f"{event.engine} {event.change}"
        case HearingChanged():
            what = event.hearing.value
        case _:
            return None
    return {"what": type(event).__name__, "detail": what, "at_s": event.at_s}


async def main() -> None:
    settings, _ = load(None, sys.argv[1:])
    log_to_stderr(settings.device.log_level)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with app.running(settings, catalogue.resolve(settings)) as appliance:
        watch = appliance.bus.subscribe("hand", 4096)
        ended = asyncio.ensure_future(stop.wait())
        telling = asyncio.ensure_future(tell(watch))
        await asyncio.wait((ended, telling), return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()


async def tell(watch: object) -> None:
    async for event in watch:  # type: ignore[attr-defined]
        if told := line(event):
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
