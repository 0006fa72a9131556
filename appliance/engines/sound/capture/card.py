"""In: an ALSA name and wishes. Out: an open PCM with what the card really offers, or one DeviceError that says why not."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import alsaaudio

from appliance.errors import DeviceError

log = logging.getLogger(__name__)

Direction = Literal["capture", "playback"]
PROBE_S = 3.0
_BITS = {"S16_LE": 16, "S32_LE": 32}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a PCM was opened with, as the card gave it."""

    name: str
    rate_hz: int
    channels: int
    bits: int
    """16 or 32, little-endian."""
    period: int
    """Frames."""
    buffer: int
    """Frames."""


def open_pcm(
    direction: Direction, name: str, rate_hz: int, channels: int, period_ms: float, buffer_ms: float
) -> tuple[Any, Shape]:
    """Opens blocking, with the nearest the card has to the wishes; S16 where it can, else S32 (AC108 boards).

    Blocks as long as the driver or the sound server does. Raises DeviceError naming the card.
    """
    kind = alsaaudio.PCM_CAPTURE if direction == "capture" else alsaaudio.PCM_PLAYBACK
    period = max(1, round(rate_hz * period_ms / 1000))
    wishes = {"rate": rate_hz, "channels": channels, "periodsize": period, "device": name}
    try:
        pcm = alsaaudio.PCM(
            kind,
            alsaaudio.PCM_NORMAL,
            format=alsaaudio.PCM_FORMAT_S16_LE,
            periods=max(2, round(buffer_ms / period_ms)),
            **wishes,
        )
        info = pcm.info()
        if info["format_name"] not in _BITS:
            pcm.close()
            pcm = alsaaudio.PCM(kind, alsaaudio.PCM_NORMAL, format=alsaaudio.PCM_FORMAT_S32_LE, **wishes)
            info = pcm.info()
    except alsaaudio.ALSAAudioError as error:
        raise _error(direction, name, str(error)) from error
    if info["format_name"] not in _BITS:
        pcm.close()
        raise DeviceError("bad-format", f"{_who(direction, name)} offers {info['format_name']}, neither S16 nor S32.")
    shape = Shape(
        name, info["rate"], info["channels"], _BITS[info["format_name"]], info["period_size"], info["buffer_size"]
    )
    log.info("%s: %s", direction, shape)
    return pcm, shape


def probe(direction: Direction, name: str) -> None:
    """Opens the PCM in a throw-away process first. Blocks for PROBE_S at the most (60 ms where all is well).

    pyalsaaudio 0.11 keeps the interpreter's lock while it opens: on a sound server that hangs, every thread would stop,
    heartbeats too, and the whole child would be taken for hung. Raises DeviceError where the opening does not end.
    """
    code = f"import alsaaudio; alsaaudio.PCM(alsaaudio.PCM_{direction.upper()}, device={name!r})"
    try:
        subprocess.run(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError("hangs", f"{_who(direction, name)} cannot be opened: its driver or server hangs.") from error


def _who(direction: Direction, name: str) -> str:
    return f"The {'microphone' if direction == 'capture' else 'loudspeaker'} '{name}'"


def _error(direction: Direction, name: str, text: str) -> DeviceError:
    reason = text.split(" [")[0]
    who = _who(direction, name)
    if "busy" in reason.lower():
        holders = ", ".join(holding(direction)) or "a program that cannot be seen from here"
        return DeviceError("busy", f"{who} is busy: {holders} holds it.")
    if "No such" in reason or "Unknown PCM" in reason:
        return DeviceError("missing", f"{who} is not there: {reason}.")
    return DeviceError("no-card", f"{who} cannot be opened: {reason}.")


def holding(direction: Direction, proc: Path = Path("/proc")) -> list[str]:
    """Programs that hold a sound device open, as 'name (pid 12)'; only those that this user may look into."""
    node = re.compile(r"/dev/snd/pcmC\d+D\d+" + ("c" if direction == "capture" else "p"))
    found = []
    for process in sorted(proc.glob("[0-9]*")):
        try:
            if any(node.fullmatch(str(link.readlink())) for link in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
        except OSError:  # gone, or not ours to see
            continue
    return found
