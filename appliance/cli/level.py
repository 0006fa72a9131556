"""In: the settings of the sound card. Out: how loud its microphone is, and whether it hears a tone of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from math import log10

from appliance.errors import DeviceError
from appliance.settings.sound import SoundSettings

SECONDS = 3.0
TONE_HZ = 1000.0
TIMEOUT_S = 20.0
"""A blocked ALSA call obeys no signal, so a child does it, which is killed after this."""

_PROGRAM = r"""
import array, json, math, sys, threading, time
import alsaaudio
asked = json.loads(sys.argv[1])
rate, channels, period = asked["rate_hz"], asked["channels"], asked["rate_hz"] // 50
def pcm(kind, name, number, size):
    return alsaaudio.PCM(type=kind, mode=alsaaudio.PCM_NORMAL, device=name, rate=size * 50, channels=number,
                         format=alsaaudio.PCM_FORMAT_S16_LE, periodsize=size)
def play():
    out = pcm(alsaaudio.PCM_PLAYBACK, asked["playback"], 1, 320)
    for block in range(50):
        at = range(block * 320, block * 320 + 320)
        out.write(array.array("h", (int(6000 * math.sin(2 * math.pi * asked["tone_hz"] * i / 16000)) for i in at)).tobytes())
mic = pcm(alsaaudio.PCM_CAPTURE, asked["capture"], channels, period)
if asked["tone"]:
    threading.Thread(target=play, daemon=True).start()
levels, tones, count = [], [], 0
while count < rate * asked["seconds"]:
    length, data = mic.read()
    if length <= 0:
        continue
    samples = array.array("h", data)[asked["channel"]::channels]
    count += len(samples)
    levels.append(math.sqrt(sum(s * s for s in samples) / len(samples)))
    turn = 2 * math.pi * asked["tone_hz"] / rate
    cosine = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    sine = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    tones.append(math.hypot(cosine, sine) * math.sqrt(2) / len(samples))
print(json.dumps({"levels": levels, "tones": tones}))
"""
"""Standard library and pyalsaaudio alone; blocks of 20 ms."""


@dataclass(frozen=True, slots=True)
class Level:
    """dBFS of 20 ms blocks."""

    peak_dbfs: float
    """The loudest tenth begins here."""
    floor_dbfs: float
    """The quietest tenth ends here."""
    tone_rise_db: float
    """How far the loudest second's tone stands out of the quietest blocks'; 0 where none was played."""


def measured_level(sound: SoundSettings, tone: bool = False) -> Level:
    """Records for SECONDS; with `tone`, one is played meanwhile. Blocks. Raises DeviceError with the card's own words."""
    asked = sound.model_dump(include={"capture", "playback", "rate_hz", "channels", "channel"}, mode="json")
    asked |= {"seconds": SECONDS, "tone": tone, "tone_hz": TONE_HZ}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, json.dumps(asked)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DeviceError("no-sound", f"{sound.capture} gives no samples.") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it could not be opened"])[-1]
        raise DeviceError("no-sound", f"{sound.capture}: {said.rpartition(': ')[2]}")
    return level_of(**json.loads(done.stdout))


def level_of(levels: list[float], tones: list[float]) -> Level:
    """Of root mean squares of blocks, and of the tone's share in them; samples count to 32768."""
    if not levels:
        raise DeviceError("no-sound", "The microphone gave no samples.")
    ordered, tonal = sorted(levels), sorted(tones)
    tenth = max(1, len(ordered) // 10)
    return Level(
        _dbfs(ordered[-tenth]),
        _dbfs(ordered[tenth - 1]),
        _dbfs(tonal[-max(1, len(tonal) // 4)]) - _dbfs(tonal[tenth - 1]),
    )


def _dbfs(rms: float) -> float:
    return 20 * log10(max(rms, 0.5) / 32768)
