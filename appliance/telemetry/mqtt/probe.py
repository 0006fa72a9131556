"""In: settings of the broker. Out: whether it lets this device in; if not, the sentence that says why. For doctor."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from appliance.settings.telemetry import MqttSettings
from appliance.telemetry.mqtt.link import Link


async def probe(settings: MqttSettings, device: str, timeout_s: float) -> str | None:
    """Dials, agrees on TLS and logs in, says nothing and leaves; a device that runs beside it is not disturbed.

    None where the broker said welcome. Takes `timeout_s` at the most. Raises SettingsError for unusable files.
    """
    quick = settings.model_copy(update={"connect_timeout_s": timeout_s, "backoff_first_s": timeout_s})
    link = Link(quick, device, f"appliance-probe-{secrets.token_hex(4)}", None)
    up = asyncio.Event()
    link.on_up = up.set
    running = asyncio.create_task(link.run(), name="mqtt-probe")
    try:
        async with asyncio.timeout(timeout_s + 0.5):
            while not up.is_set() and not link.counters["failures"]:  # noqa: ASYNC110 - at most some seconds, once
                await asyncio.sleep(0.02)
    except TimeoutError:
        return "The broker does not answer."
    finally:
        if up.is_set():
            link.leave()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(running), 0.5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return None if up.is_set() else link.trouble
