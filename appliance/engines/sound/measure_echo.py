"""In: recorded pairs on standard input (JSON). Out: how loud each is before and after echo removal, a JSON line a pair.

The front end is the child's own, given each period as the card would give it, beside what the loudspeaker plays in it.
Only its CPU time is counted, not the reading of files. Input: {"pairs": [{"played": file, "heard": file}]}.
Output: {"heard", "audio_s", "cpu_s", "before_dbfs", "after_dbfs"}, levels over all but the first third, or
{"heard", "error"}.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engines.measuring import answer
from appliance.engines.recordings import load
from appliance.engines.sound.capture.card import Shape
from appliance.engines.sound.capture.front_end import FrontEnd
from appliance.engines.sound.echo.canceller import FRAME, LEAD, Echo
from appliance.engines.sound.pcm import RATE_HZ, level_dbfs
from appliance.errors import AudioFileError, ListenError

LEARNING = 3
"""The first third of a pair is for the filter to learn the room."""


def measure(played_file: Path, heard_file: Path) -> dict[str, Any]:
    """One pair by a front end of its own.

    Raises AudioFileError for a file that cannot be read, ListenError where the processor does not run.
    """
    played, heard = load(played_file), load(heard_file)
    length = min(len(played), len(heard)) // FRAME * FRAME
    at_s = 0.0
    echo = Echo(clock=lambda: at_s)
    echo.prepare().join()
    if not echo.ready:
        raise ListenError("no-echo-processor", "WebRTC's processor (package livekit) does not run here.")
    front_end = FrontEnd(Shape("recording", RATE_HZ, 1, 16, FRAME, FRAME), (0,), echo)
    front_end.take(bytes(FRAME * 2))  # the time line of the capture begins
    out = []
    began_s = time.thread_time()
    for at in range(0, length, FRAME):
        at_s = (at + LEAD) / RATE_HZ  # both files are of one clock: what was played comes first by itself
        echo.played(played[at : at + FRAME])
        at_s = (at + FRAME) / RATE_HZ
        out.append(front_end.take(heard[at : at + FRAME].tobytes()))
    cpu_s = time.thread_time() - began_s
    settled = length // LEARNING
    return {
        "heard": str(heard_file),
        "audio_s": length / RATE_HZ,
        "cpu_s": cpu_s,
        "before_dbfs": level_dbfs(heard[settled:length]),
        "after_dbfs": level_dbfs(np.concatenate(out)[settled:]),
    }


def measured(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A result for every pair, in order. Raises ListenError where the processor does not run."""
    for pair in request["pairs"]:
        try:
            yield measure(Path(pair["played"]), Path(pair["heard"]))
        except AudioFileError as error:
            yield {"heard": pair["heard"], "error": error.message}


if __name__ == "__main__":
    sys.exit(answer(measured))
