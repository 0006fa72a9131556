"""In: an ALSA name and a direction as arguments. Out: one JSON line: channel counts, rates, or why it does not open."""

from __future__ import annotations

import json
import sys
from typing import Any

import alsaaudio


def probe(pcm: str, direction: str) -> dict[str, Any]:
    """Opens `pcm` without blocking, asks, closes it again."""
    kind = alsaaudio.PCM_CAPTURE if direction == "capture" else alsaaudio.PCM_PLAYBACK
    try:
        device = alsaaudio.PCM(type=kind, mode=alsaaudio.PCM_NONBLOCK, device=pcm)
    except alsaaudio.ALSAAudioError as error:
        return {"channels": [], "rates_hz": [], "error": str(error).split("[")[0].strip()}
    try:
        return {"channels": _many(device.getchannels()), "rates_hz": _many(device.getrates()), "error": None}
    finally:
        device.close()


def _many(value: Any) -> list[int]:
    """pyalsaaudio answers with one number, or a list of them."""
    return [int(item) for item in value] if isinstance(value, list | tuple) else [int(value)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(sys.argv[1], sys.argv[2])) + "\n")
