"""In: an ALSA name and a direction as arguments. Out: one JSON line: channel counts, rates, or why it does not open."""

from __future__ import annotations

import json
import sys
from typing import Any

import alsaaudio

CHANNELS = (1, 2, 4, 6, 8, 16)
RATES_HZ = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
"""What microphone arrays and loudspeakers have. Not asked for every number: pyalsaaudio's own `getchannels` counts up to
the plug-in's limit, which is 2**32 - 1 for some."""


def probe(pcm: str, direction: str) -> dict[str, Any]:
    """Opens `pcm` without blocking, once for each of CHANNELS, and asks for its rates."""
    kind = alsaaudio.PCM_CAPTURE if direction == "capture" else alsaaudio.PCM_PLAYBACK
    channels: list[int] = []
    rates_hz: list[int] = []
    error: str | None = None
    for count in CHANNELS:
        try:
            device = alsaaudio.PCM(type=kind, mode=alsaaudio.PCM_NONBLOCK, device=pcm, channels=count)
        except alsaaudio.ALSAAudioError as refusal:
            error = error or str(refusal).split("[")[0].strip()
            continue
        if device.info()["channels"] == count:
            channels.append(count)
        rates_hz = rates_hz or _rates(device.getrates())
        device.close()
    return {"channels": channels, "rates_hz": rates_hz, "error": None if channels else error or "takes no channels"}


def _rates(value: Any) -> list[int]:
    """pyalsaaudio answers with one rate, a list, or the ends (lowest, highest) of a range."""
    if isinstance(value, tuple):
        return [rate for rate in RATES_HZ if value[0] <= rate <= value[1]]
    return [int(rate) for rate in value] if isinstance(value, list) else [int(value)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(sys.argv[1], sys.argv[2])) + "\n")
