"""In: a discovery message on standard input. Out: what Home Assistant's own code makes of it, JSON. Runs in its Python."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import tempfile

from homeassistant.components.mqtt import discovery
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame


async def main() -> None:
    """Raises voluptuous' error for a message that Home Assistant would refuse."""
    frame.async_setup(HomeAssistant(tempfile.mkdtemp()))  # its template checks want one
    parsed = discovery._parse_device_payload(None, sys.stdin.read(), "x", None)
    entities, unknown = {}, {}
    for key, component in parsed["components"].items():
        platform = component.pop("platform")
        written = set(component)
        whole = discovery.MQTTDiscoveryPayload(component)
        discovery._merge_common_device_options(whole, parsed)
        whole["device"], whole["origin"] = parsed["device"], parsed["origin"]
        schema = importlib.import_module(f"homeassistant.components.mqtt.{platform}").DISCOVERY_SCHEMA
        accepted = schema(whole)
        entities[f"{platform}.{key}"] = str(accepted.get("name"))
        if lost := sorted(written - set(accepted)):
            unknown[key] = lost
    sys.stdout.write(json.dumps({"version": __version__, "entities": entities, "unknown": unknown}))


if __name__ == "__main__":
    asyncio.run(main())
