"""In: /proc/asound and alsa-lib. Out: sound cards, what each direction can do, and who holds it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Direction = Literal["capture", "playback"]
PROC = Path("/proc/asound")
PROBE_TIMEOUT_S = 5.0
"""Opening a PCM of a stopped sound server blocks for ever, so it happens in a child that is killed after this."""
CARD_LINE = re.compile(r"^\s*(\d+)\s+\[(\S+)\s*\]:\s*(.+)$")
OWNER_LINE = re.compile(r"^owner_pid\s*:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stream:
    """One direction of one PCM."""

    pcm: str
    """ALSA name, as `sound.capture` and `sound.playback` take it."""
    direction: Direction
    channels: tuple[int, ...]
    """Channel counts it takes; empty where it could not be opened."""
    rates_hz: tuple[int, ...]
    holder: str | None
    """Program and process that has it open; None: free, or not a PCM of the kernel."""
    error: str | None
    """Why it could not be opened; None: it could."""


@dataclass(frozen=True, slots=True)
class Card:
    """One sound card of the kernel."""

    index: int
    id: str
    name: str
    streams: tuple[Stream, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def cards(proc: Path = PROC) -> list[Card]:
    """Every sound card that the kernel knows. Opens free PCMs for a moment; blocks at most PROBE_TIMEOUT_S for each."""
    try:
        text = (proc / "cards").read_text(encoding="utf-8")
    except OSError:
        return []  # a kernel without sound
    found = [match.groups() for line in text.splitlines() if (match := CARD_LINE.match(line))]
    return [Card(int(index), name, label.strip(), _streams(proc, int(index), name)) for index, name, label in found]


def _streams(proc: Path, index: int, card_id: str) -> tuple[Stream, ...]:
    streams = []
    for folder in sorted((proc / f"card{index}").glob("pcm[0-9]*[cp]")):
        direction: Direction = "capture" if folder.name.endswith("c") else "playback"
        device = folder.name[3:-1]
        streams.append(stream(f"hw:CARD={card_id},DEV={device}", direction, _holder(folder)))
    return tuple(streams)


def _holder(pcm_folder: Path) -> str | None:
    for status in sorted(pcm_folder.glob("sub*/status")):
        if match := OWNER_LINE.search(status.read_text(encoding="utf-8")):
            return f"{_program(match[1])} ({match[1]})"
    return None


def _program(pid: str) -> str:
    """Name of the process that a thread belongs to: ALSA records the thread."""
    for path in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/comm")):
        try:
            words = path.read_text(encoding="utf-8").replace("\0", " ").split()
        except OSError:
            continue
        if words:
            return Path(words[0]).name
    return "process"


def stream(pcm: str, direction: Direction, holder: str | None = None) -> Stream:
    """What `pcm` can do in one direction, by opening it in a child process, unless somebody holds it."""
    if holder is not None:
        return Stream(pcm, direction, (), (), holder, "in use")
    command = [sys.executable, "-m", "appliance.hardware.probe", pcm, direction]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
        facts = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Stream(pcm, direction, (), (), None, f"does not open within {PROBE_TIMEOUT_S:.0f} s")
    except ValueError:
        return Stream(pcm, direction, (), (), None, "the probe ended without an answer")
    return Stream(pcm, direction, tuple(facts["channels"]), tuple(facts["rates_hz"]), None, facts["error"])
