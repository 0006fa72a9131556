"""In: a folder of recorded loudspeaker and microphone pairs. Out: how much echo the device removes, and at what price.

A pair is NAME_lpb (what the loudspeaker played) and NAME_mic (what the microphone heard); NAME holds `farend_singletalk`
where only the device spoke, `nearend_singletalk` where only a person did, else both did.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from appliance.bench.measuring import measured
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import ListenError, UsageError

PROGRAM = "appliance.engines.sound.measure_echo"
PLAYED, HEARD = "_lpb", "_mic"
FAR_END, NEAR_END = "farend_singletalk", "nearend_singletalk"
AUDIO = {".flac", ".wav", ".ogg"}
PAIR_LIMIT_S = 60.0
"""A pair of ten seconds takes 0.2 s here; more than this is hung."""


def run(request: Request) -> SuiteResult:
    """Measures every pair. Blocks for some 2 % of their length. Raises UsageError for a folder without pairs and
    ListenError where the processor does not run."""
    found = pairs(request.folder("echo"))[: request.limit]
    request.progress(0, len(found), "recorded pairs")
    asked = {"pairs": [{"played": str(played), "heard": str(heard)} for played, heard in found]}
    entries = measured(PROGRAM, asked, PAIR_LIMIT_S * len(found), "echo canceller", ListenError)
    errors = [str(entry["error"]) for entry in entries if "error" in entry]
    details = [entry for entry in entries if "error" not in entry]
    notes = tuple(f"Not measured: {error}" for error in errors)
    return SuiteResult("echo", len(details), judge(details), details, notes)


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(played, heard) of every pair in `folder`. Raises UsageError where there is none."""
    found = []
    for heard in sorted(file for file in folder.rglob(f"*{HEARD}.*") if file.suffix.lower() in AUDIO):
        played = heard.with_stem(heard.stem.removesuffix(HEARD) + PLAYED)
        if played.exists():
            found.append((played, heard))
    if not found:
        raise UsageError("no-recordings", f"There are no pairs NAME{PLAYED} and NAME{HEARD} in {folder}.")
    return found


def judge(details: list[dict[str, Any]]) -> dict[str, float | None]:
    """The measures of MEASURES.md; a mean over pairs where there are several."""
    audio_s = sum(entry["audio_s"] for entry in details)
    return {
        "echo.erle_db": _taken_db(details, FAR_END),
        "echo.near_end_loss_db": _taken_db(details, NEAR_END),
        "echo.cpu_ratio": sum(entry["cpu_s"] for entry in details) / audio_s if audio_s else None,
    }


def _taken_db(details: list[dict[str, Any]], kind: str) -> float | None:
    taken = [entry["before_dbfs"] - entry["after_dbfs"] for entry in details if kind in Path(entry["heard"]).name]
    return sum(taken) / len(taken) if taken else None
